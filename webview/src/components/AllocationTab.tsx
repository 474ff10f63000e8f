/** Two tabs over one panel: where to put LoRA experts, ranks or training, and how much to prune where. */
import type { TabProps } from '../tabProps.ts';
import { AllocationPanel } from './AllocationPanel.tsx';

export function AllocationTab({ result, choices, change }: TabProps) {
  return (
    <AllocationPanel
      key="allocation"
      result={result}
      layer={choices.layer}
      form={choices.allocation}
      onForm={(part) => change({ allocation: { ...choices.allocation, ...part } })}
      onLayer={(layer) => change({ layer })}
    />
  );
}

export function SparsityTab({ result, choices, change }: TabProps) {
  return (
    <AllocationPanel
      key="sparsity"
      result={result}
      layer={choices.layer}
      form={choices.sparsity}
      onForm={(part) => change({ sparsity: { ...choices.sparsity, ...part } })}
      onLayer={(layer) => change({ layer })}
    />
  );
}
