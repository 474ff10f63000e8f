/**
 * The training samples that help and hurt validation most at one layer, with their text and the way to their line in
 * the data.
 */
import type { ResultTask } from '../../../protocol/result.ts';
import { formatNumber, formatSigned } from '../model/format.ts';
import { finite } from '../model/layers.ts';
import { rankSamples } from '../model/ranking.ts';
import type { RankedSample } from '../model/ranking.ts';
import { samplesOf, useTexts } from '../samples.ts';
import type { SampleText } from '../samples.ts';
import { SourceCell, TextCell } from './RowCells.tsx';
import { SignedBar } from './SignedBar.tsx';

export interface SampleTablesProps {
  /** Names result and run, so that texts of another run are not mixed in. */
  source: string;
  task: ResultTask;
  taskPlace: number;
  layer: number;
  row: number;
  count: number;
  /** A sample picked in the heat map; it is shown first, on its own. */
  picked: number | null;
}

export function SampleTables(props: SampleTablesProps) {
  const influence = props.task.influence[props.row]!;
  const { helpful, harmful } = rankSamples(influence, props.count);
  const picked: RankedSample[] =
    props.picked !== null && props.picked < influence.length
      ? [{ index: props.picked, influence: finite(influence[props.picked]) }]
      : [];
  const indices = [...new Set([...picked, ...helpful, ...harmful].map((sample) => sample.index))];
  const texts = useTexts(samplesOf(props.source, props.task.task), indices);
  const largest = Math.max(0, ...influence.map((value) => Math.abs(finite(value))));
  const table = (title: string, samples: RankedSample[], none: string) => (
    <SampleTable {...props} title={title} samples={samples} none={none} texts={texts} largest={largest} />
  );
  return (
    <div class="sample-tables">
      {picked.length > 0 && table('Selected sample', picked, '')}
      {table('Most helpful training samples', helpful, 'No training sample helps validation at this layer.')}
      {table('Most harmful training samples', harmful, 'No training sample hurts validation at this layer.')}
    </div>
  );
}

function SampleTable(
  props: SampleTablesProps & {
    title: string;
    samples: readonly RankedSample[];
    none: string;
    texts: ReadonlyMap<number, SampleText>;
    largest: number;
  },
) {
  const { task, samples, largest } = props;
  return (
    <section class="sample-table">
      <h3>{props.title}</h3>
      {samples.length === 0 ? (
        <p class="empty">{props.none}</p>
      ) : (
        <table class="data samples">
          <caption class="spoken">
            {props.title} of layer {props.layer}, task {task.task}
          </caption>
          <thead>
            <tr>
              <th scope="col" class="influence">
                Influence
              </th>
              <th scope="col">Text</th>
              <th scope="col" class="number loss" title="Mean loss in nats per counted token">
                Loss
              </th>
              <th scope="col" class="number tokens">
                Tokens
              </th>
              <th scope="col" class="source">
                Source
              </th>
            </tr>
          </thead>
          <tbody>
            {samples.map((sample) => (
              <SampleLine
                key={sample.index}
                sample={sample}
                share={largest > 0 ? sample.influence / largest : 0}
                taskPlace={props.taskPlace}
                task={task}
                text={props.texts.get(sample.index)}
              />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function SampleLine(props: {
  sample: RankedSample;
  share: number;
  taskPlace: number;
  task: ResultTask;
  text: SampleText | undefined;
}) {
  const { sample, task, text } = props;
  const row = task.train.rows[sample.index]!;
  return (
    <tr>
      <td class="influence">
        <div class="influence-cell">
          <SignedBar share={props.share} task={props.taskPlace} width={64} height={12} twoSided />
          <span class="number">{formatSigned(sample.influence)}</span>
        </div>
      </td>
      <TextCell text={text} />
      <td class="number loss">{formatNumber(task.train.loss[sample.index])}</td>
      <td class="number tokens">
        {row.tokens}
        {row.truncated && (
          <span class="cut" title="Longer than max_length: only the first tokens were scored">
            {' '}
            cut
          </span>
        )}
      </td>
      <SourceCell row={row} text={text} />
    </tr>
  );
}
