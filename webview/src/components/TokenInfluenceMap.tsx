/**
 * Tokens of a validation sample by the influence of the training samples on their prediction, as `layerif tokens` has
 * computed it: blue with a solid line where training helps, red with a dotted one where it harms, the deeper the more.
 */
import { useState } from 'preact/hooks';
import type { TokenInfluence } from '../../../protocol/trust.ts';
import { useAnswer } from '../ask.ts';
import { formatSigned, plural } from '../model/format.ts';
import { DEPTHS, depthOf, influenceColumns, influenceOf, influenceWords } from '../model/tokenInfluence.ts';
import { Select } from './controls.tsx';
import { samplePlace } from './RowCells.tsx';
import type { RowPlace } from './RowCells.tsx';
import { TokenHeat } from './TokenHeat.tsx';

const ALL = 'all';

/** For `RowTable.more`. @param source what the answers depend on */
export function influencesOf(task: string, places: readonly RowPlace[], source: string) {
  return {
    name: 'Token influence',
    of: (validation: number) => (
      <TokenInfluenceMap source={source} task={task} validation={validation} name={samplePlace(places[validation])} />
    ),
  };
}

function TokenInfluenceMap(props: { source: string; task: string; validation: number; name: string }) {
  const { source, task, validation, name } = props;
  const { answer, failure } = useAnswer(source, 'tokenInfluence', { task, validation }, 0);
  const fault = failure ?? answer?.error?.message ?? null;
  if (fault !== null)
    return (
      <p class="message" role="alert">
        {fault}
      </p>
    );
  if (answer === null) return <p class="faint">{'Reading influence\u2026'}</p>;
  if (answer.influence === null)
    return (
      <p class="empty">
        Not computed yet. <code>{`layerif tokens RESULT --task ${task} --validation ${validation}`}</code> computes the
        influence of each token, in about the time of the run; then open this line again.
      </p>
    );
  return <Influences found={answer.influence} name={name} />;
}

function Influences({ found, name }: { found: TokenInfluence; name: string }) {
  const [layer, setLayer] = useState(ALL);
  const values = influenceOf(found, layer === ALL ? null : Number(layer));
  const largest = Math.max(0, ...values.map(Math.abs));
  const sum = values.reduce((a, b) => a + b, 0);
  const look = (value: number) => {
    const depth = depthOf(value, largest);
    return depth === 0 ? 'shade-0' : `${value > 0 ? 'helps' : 'harms'} shade-${depth}`;
  };
  const over = layer === ALL ? `all ${found.layers.length} layers` : `layer ${layer}`;
  return (
    <TokenHeat
      tokens={found.tokens.map(({ position, id, text }, t) => ({
        text,
        look: look(values[t]!),
        words: `Token ${position} ${JSON.stringify(text)} (${id}): ${influenceWords(values[t]!)}`,
        cells: [String(position), JSON.stringify(text), String(id), formatSigned(values[t])],
      }))}
      label={`${plural(found.tokens.length, 'predicted token')} of ${name} by influence over ${over}`}
      summary={`${plural(found.tokens.length, 'predicted token')}, influence ${formatSigned(sum)} together over ${over}, by ${found.estimator}.`}
      first={0}
      legend={
        <>
          <span>Training</span>
          <span class={`token harms shade-${DEPTHS}`}>harms most</span>
          <span class="token harms shade-1">harms</span>
          <span class="token shade-0">nothing</span>
          <span class="token helps shade-1">helps</span>
          <span class={`token helps shade-${DEPTHS}`}>helps most</span>
        </>
      }
      table={{ caption: `Influence on the tokens of ${name} over ${over}`, columns: influenceColumns, texts: [1] }}
    >
      <Select
        label="Influence over"
        value={layer}
        options={[
          { id: ALL, name: 'all layers' },
          ...found.layers.map(({ index }) => ({ id: String(index), name: `layer ${index}` })),
        ]}
        onChange={setLayer}
      />
    </TokenHeat>
  );
}
