/**
 * The tabs of the results editor, in order. To add one: a component that takes `TabProps`, and a row here. `shown`
 * hides a tab whose numbers a result does not have.
 */
import type { ComponentType } from 'preact';
import type { Result } from '../../protocol/result.ts';
import { AgreementTab } from './components/AgreementTab.tsx';
import { AllocationTab, SparsityTab } from './components/AllocationTab.tsx';
import { DataTab } from './components/DataTab.tsx';
import { LayersTab } from './components/LayersTab.tsx';
import { RunTab } from './components/RunTab.tsx';
import { SamplesTab } from './components/SamplesTab.tsx';
import { ScoresTab } from './components/ScoresTab.tsx';
import { TrustTab } from './components/TrustTab.tsx';
import type { TabProps } from './tabProps.ts';

export interface TabRow {
  id: string;
  name: string;
  Content: ComponentType<TabProps>;
  shown: (result: Result) => boolean;
}

export const tabs: readonly TabRow[] = [
  { id: 'layers', name: 'Layers', Content: LayersTab, shown: () => true },
  { id: 'samples', name: 'Samples', Content: SamplesTab, shown: () => true },
  { id: 'trust', name: 'Trust', Content: TrustTab, shown: () => true },
  { id: 'scores', name: 'Scores', Content: ScoresTab, shown: () => true },
  { id: 'data', name: 'Data', Content: DataTab, shown: () => true },
  { id: 'agreement', name: 'Agreement', Content: AgreementTab, shown: () => true },
  { id: 'allocation', name: 'Allocation', Content: AllocationTab, shown: () => true },
  { id: 'sparsity', name: 'Sparsity', Content: SparsityTab, shown: () => true },
  { id: 'run', name: 'Run', Content: RunTab, shown: () => true },
];
