/**
 * One allocation with its controls, drawn over baselines, explained layer by layer, and ready to be copied, saved or
 * exported.
 */
import { useMemo, useState } from 'preact/hooks';
import type { Result } from '../../../protocol/result.ts';
import { ask, useAnswer, useAnswers } from '../ask.ts';
import {
  allocationSeries,
  countKinds,
  requestOf,
  rulesFor,
  ruleName,
  totalWords,
  valueText,
} from '../model/allocation.ts';
import type { AllocationForm } from '../model/allocation.ts';
import { resultKey } from '../rescored.ts';
import { AllocationControls } from './AllocationControls.tsx';
import { OrderDoubt } from './OrderDoubt.tsx';
import { AllocationTable } from './AllocationTable.tsx';
import { LinkButton } from './controls.tsx';
import { ExportBar } from './ExportBar.tsx';
import { SeriesChart, SeriesLegend } from './SeriesChart.tsx';

export function AllocationPanel(props: {
  result: Result;
  /** Index of the selected layer. */
  layer: number | null;
  form: AllocationForm;
  onForm: (part: Partial<AllocationForm>) => void;
  onLayer: (layer: number) => void;
}) {
  const { result, form, onForm } = props;
  // What was measured changes the answers of the server.
  const [measured, setMeasured] = useState(0);
  const [measuring, setMeasuring] = useState<{ busy: boolean; failure: string | null; of: string }>({
    busy: false,
    failure: null,
    of: '',
  });
  const source = `${resultKey(result)} ${measured}`;
  const complete = result.status === 'complete';
  const { answer: choices } = useAnswer(source, 'allocationChoices', complete ? {} : null);
  const asked = useAnswer(source, 'allocate', complete ? requestOf(form) : null);
  const rules = rulesFor(choices, form.kind);
  const beside = form.baselines.filter((id) => id !== form.rule && rules.some((rule) => rule.id === id));
  const others = useAnswers(source, 'allocate', complete ? beside.map((id) => requestOf(form, id)) : []);
  const name = (id: string) => ruleName(id, rules.find((rule) => rule.id === id)?.title ?? id);
  const allocation = asked.answer?.allocation?.kind === form.kind ? asked.answer.allocation : null;
  const drawn = others.flatMap((other, i) =>
    other?.allocation && other.allocation.kind === form.kind
      ? [{ name: name(beside[i]!), allocation: other.allocation }]
      : [],
  );
  const series = useMemo(
    () => (allocation ? allocationSeries({ name: name(form.rule), allocation }, drawn) : []),
    [allocation, drawn.map((one) => `${one.name} ${one.allocation.provenance.date}`).join(), rules.length],
  );
  const missing = asked.answer?.missing ?? [];
  const of = missing.map(({ id }) => id).join();
  const measure = () => {
    setMeasuring({ busy: true, failure: null, of });
    const told = (failure: string | null) => {
      setMeasuring({ busy: false, failure, of });
      setMeasured((count) => count + 1);
    };
    ask(source, 'measureScores', { scores: missing }).then(
      ({ error }) => told(error?.message ?? null),
      (error: Error) => told(error.message),
    );
  };
  const title = form.kind === 'sparsity' ? 'Sparsity per layer' : countKinds.find(({ id }) => id === form.kind)!.title;

  if (!complete)
    return (
      <p class="empty">
        This needs a score for every layer: {finishedWords(result)}. Score again; the run continues where it was.
      </p>
    );
  const failure = asked.failure ?? asked.answer?.error?.message ?? null;
  const refused = others.flatMap((other, i) => (other?.error ? [{ id: beside[i], message: other.error.message }] : []));
  const format = (value: number) => valueText(form.kind, value);
  const place = allocation?.layers.findIndex(({ index }) => index === props.layer) ?? -1;
  const selected = allocation?.layers[place] ?? allocation?.layers[highest(allocation.layers)];
  return (
    <section aria-labelledby="allocation-heading" aria-busy={asked.pending}>
      <h2 id="allocation-heading">{title}</h2>
      <AllocationControls
        form={form}
        onForm={onForm}
        rules={rules}
        tasks={result.tasks.map(({ task }) => task)}
        layers={result.model.layers}
        settings={allocation?.settings ?? null}
      />
      {failure !== null && (
        <p class="message" role="alert">
          {(measuring.of === of ? measuring.failure : null) ?? failure}
        </p>
      )}
      {missing.length > 0 && (
        <p>
          {measuring.busy ? (
            <span role="status">Measuring{'\u2026'} Progress and cancel are in the notification.</span>
          ) : (
            <LinkButton title="Runs the model once; the score is kept beside the result" onClick={measure}>
              Measure now
            </LinkButton>
          )}
        </p>
      )}
      {!failure && !allocation && <p class="empty">Computing{'\u2026'}</p>}
      {!failure && allocation && (
        <>
          <p class="caption">
            {allocation.ruleTitle}. <strong>{totalWords(allocation)}</strong>
            {allocation.provenance.tasks.length > 1 &&
              `, by the mean of ${allocation.provenance.tasks.length} tasks\u2019 normalised scores`}
            .{allocation.formula && <> In symbols: {allocation.formula}.</>}
          </p>
          <OrderDoubt result={result} allocation={allocation} />
          <SeriesLegend series={series} />
          <SeriesChart
            name={title}
            series={series}
            slots={allocation.layers.map(({ index }) => String(index))}
            axis="Layer"
            format={format}
            domain={form.kind === 'sparsity' ? [0, 1] : undefined}
            more={(at) => allocation.layers[at]?.why ?? ''}
            selected={place < 0 ? null : place}
            onSelect={(at) => props.onLayer(allocation.layers[at]!.index)}
          />
          {selected && (
            <p class="why" role="status">
              {selected.why}
            </p>
          )}
          {allocation.notes.length > 0 && (
            <ul class="prose notes">
              {allocation.notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          )}
          {refused.map(({ id, message }) => (
            <p class="note" key={id}>
              {name(id!)} is not drawn: {message}
            </p>
          ))}
          <ExportBar form={form} allocation={allocation} choices={choices} />
          <AllocationTable
            allocation={allocation}
            others={drawn}
            selected={selected?.index ?? null}
            onSelect={props.onLayer}
          />
        </>
      )}
    </section>
  );
}

const highest = (layers: readonly { value: number }[]) =>
  layers.reduce((best, { value }, i) => (value > layers[best]!.value ? i : best), 0);

function finishedWords({ tasks, model, experiment }: Result): string {
  return experiment.tasks
    .map(({ task }) => `${task} has ${tasks.find((own) => own.task === task)?.layers.length ?? 0} of ${model.layers}`)
    .join(', ');
}
