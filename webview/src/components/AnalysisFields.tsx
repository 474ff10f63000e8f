/** Which columns are explained, by what, and how rows are drawn. */
import type { TableColumn } from '../../../protocol/analysis.ts';
import { groupColumns, nameColumns, numericColumns } from '../model/analysis.ts';
import type { AnalysisChoices } from '../model/analysis.ts';
import { Checkbox, Select, TextField } from './controls.tsx';

const none = { id: '', name: 'none' };
const projections: { id: AnalysisChoices['projection']; name: string }[] = [
  { id: '', name: 'none' },
  { id: 'tsne', name: 't-SNE' },
  { id: 'umap', name: 'UMAP' },
];

export function AnalysisFields(props: {
  columns: readonly TableColumn[];
  choices: AnalysisChoices;
  change: (part: Partial<AnalysisChoices>) => void;
}) {
  const { columns, choices, change } = props;
  const options = (list: readonly TableColumn[]) => list.map(({ name }) => ({ id: name, name }));
  const numbers = numericColumns(columns);
  const isNumbers = numbers.some(({ name }) => name === choices.factor);
  return (
    <div class="statistics-fields">
      <div class="controls" role="group" aria-label="Groups">
        <Select
          label="Response"
          value={choices.response}
          options={options(numbers)}
          onChange={(response) => change({ response })}
        />
        <Select
          label="Groups"
          value={choices.factor}
          options={[none, ...options(groupColumns(columns).filter(({ name }) => name !== choices.response))]}
          onChange={(factor) => change({ factor, bins: '' })}
        />
        {isNumbers && (
          <TextField
            label="Edges"
            value={choices.bins}
            placeholder="such as 1.5, 3, 7"
            onInput={(bins) => change({ bins })}
          />
        )}
        <Select
          label="Belong together"
          value={choices.clusterBy}
          options={[none, ...options(nameColumns(columns))]}
          onChange={(clusterBy) => change({ clusterBy })}
        />
      </div>
      <div class="controls" role="group" aria-label="Curve and points">
        <Select
          label="Curve over"
          value={choices.smooth}
          options={[none, ...options(numbers.filter(({ name }) => name !== choices.response))]}
          onChange={(smooth) => change({ smooth })}
        />
        <Checkbox label="Logarithm" checked={choices.log} onChange={(log) => change({ log })} />
        <Select
          label="Random effect"
          value={choices.random}
          options={[none, ...options(nameColumns(columns))]}
          onChange={(random) => change({ random })}
        />
        <Select
          label="Points"
          value={choices.projection}
          options={projections}
          onChange={(projection) => change({ projection })}
        />
      </div>
    </div>
  );
}
