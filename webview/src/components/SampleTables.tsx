/**
 * The training samples that help and hurt validation most at one layer, with their text and the way to their line in
 * the data.
 */
import { useState } from 'preact/hooks';
import type { ResultTask, SampleRow } from '../../../protocol/result.ts';
import { send } from '../host.ts';
import { formatNumber, formatSigned } from '../model/format.ts';
import { finite } from '../model/layers.ts';
import { rankSamples } from '../model/ranking.ts';
import type { RankedSample } from '../model/ranking.ts';
import { useSampleTexts } from '../samples.ts';
import type { SampleText } from '../samples.ts';
import { LinkButton } from './controls.tsx';
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
  const texts = useSampleTexts(props.source, props.task.task, indices);
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
  const [open, setOpen] = useState(false);
  const { sample, task, text } = props;
  const row = task.train.rows[sample.index]!;
  const place = samplePlace(row);
  return (
    <tr>
      <td class="influence">
        <div class="influence-cell">
          <SignedBar share={props.share} task={props.taskPlace} width={64} height={12} twoSided />
          <span class="number">{formatSigned(sample.influence)}</span>
        </div>
      </td>
      <td class="text">
        {text?.text ? (
          <button
            type="button"
            class={open ? 'sample-text open' : 'sample-text'}
            aria-expanded={open}
            title={open ? 'Show less' : 'Show all'}
            onClick={() => setOpen(!open)}
          >
            {text.text}
          </button>
        ) : (
          <span class="sample-text faint">
            {text ? 'Text not available: the data file changed or is not there.' : 'Loading text\u2026'}
          </span>
        )}
      </td>
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
      <td class="source">
        <span class="place" title={row.file}>
          <span class="file">{baseName(row.file)}</span>
          <span class="at">{rowPlace(row)}</span>
        </span>
        {text && text.file !== '' ? (
          <LinkButton
            label={`Open in dataset: ${place}`}
            title={`Open in dataset: ${place}`}
            onClick={() => send({ type: 'openSample', file: text.file, line: text.line })}
          >
            Open in dataset
          </LinkButton>
        ) : null}
      </td>
    </tr>
  );
}

/** `reviews.jsonl:12`, or `reviews.parquet row 11` where a format has no lines. */
export const samplePlace = (row: SampleRow | undefined) => (row ? baseName(row.file) + rowPlace(row) : '');

const baseName = (file: string) => file.slice(file.lastIndexOf('/') + 1);
const rowPlace = (row: SampleRow) => (row.line === null ? ` row ${row.row}` : `:${row.line}`);
