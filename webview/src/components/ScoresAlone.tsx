/** A scores file that is opened by itself: its tables, and how they agree where it says so. */
import type { ScoresFile } from '../../../protocol/scores.ts';
import { rowTables } from '../model/dataChoice.ts';
import { isAgreement } from '../model/agreement.ts';
import type { Choices } from '../model/pageState.ts';
import { Agreement } from './AgreementTab.tsx';
import { DataView } from './DataTab.tsx';
import { ScoreTables } from './ScoresTab.tsx';
import { Tabs } from './Tabs.tsx';
import { WhatIf } from './WhatIf.tsx';

export function ScoresAlone(props: { file: ScoresFile; choices: Choices; change: (part: Partial<Choices>) => void }) {
  const agreements = props.file.tables.filter(isAgreement);
  const tabs = [
    { id: 'scores', name: 'Scores' },
    ...(rowTables(props.file).length > 0 ? [{ id: 'data', name: 'Data' }] : []),
    ...(agreements.length > 0 ? [{ id: 'agreement', name: 'Agreement' }] : []),
  ];
  const selected = tabs.find(({ id }) => id === props.choices.tab)?.id ?? 'scores';
  return (
    <Tabs label="Scores" tabs={tabs} selected={selected} onSelect={(tab) => props.change({ tab })}>
      {selected === 'agreement' && <Agreement tables={agreements} />}
      {selected === 'data' && <DataView {...props} />}
      {selected === 'scores' && (
        <>
          <ScoreTables {...props} />
          {props.file.status === 'complete' && (
            <WhatIf file={props.file} source={{ key: props.file.model.sha256, layers: props.file.model.layers }} />
          )}
        </>
      )}
    </Tabs>
  );
}
