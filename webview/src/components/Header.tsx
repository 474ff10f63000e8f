/**
 * What was run, whether it is done, and how to read the sign: the same on every tab. All lines keep their height while
 * a run goes on.
 */
import { useEffect, useState } from 'preact/hooks';
import type { Result } from '../../../protocol/result.ts';
import type { Estimate } from '../../../protocol/run.ts';
import { send } from '../host.ts';
import { MISSING, formatCount, formatDate, formatDuration, formatShare } from '../model/format.ts';
import type { View } from '../model/pageState.ts';
import { Button, LinkButton, ProgressBar } from './controls.tsx';

export function Header(props: {
  view: View;
  result: Result | null;
  /** Below the title. */
  details: boolean;
  /** Absent where nothing can be chosen. */
  onDetails?: (details: boolean) => void;
}) {
  const { view, result, details, onDetails } = props;
  const title = result?.model.name || view.run?.estimate.model.name || 'Layer scores';
  return (
    <header>
      <div class="title-row">
        <h1 title={title}>{title}</h1>
        <StatusLine view={view} result={result} />
        {onDetails && (
          <LinkButton expanded={details} onClick={() => onDetails(!details)}>
            {details ? 'Less' : 'Details'}
          </LinkButton>
        )}
      </div>
      {view.run ? (
        <ProgressBar label={`Scoring: ${view.run.message}`} done={view.run.done} total={view.run.total} />
      ) : (
        <div class="progress-place" />
      )}
      {details && <Details view={view} result={result} />}
    </header>
  );
}

function Details({ view, result }: { view: View; result: Result | null }) {
  return (
    <>
      <p class="description">{result?.experiment.description ?? ''}</p>
      {result ? <Facts facts={resultFacts(result)} /> : view.run && <Facts facts={estimateFacts(view.run.estimate)} />}
      <p class="sign">
        <strong>Positive = helps validation</strong>: training on the sample lowers the validation loss. Compare ranks
        and relative sizes; the scale itself has no meaning.
      </p>
    </>
  );
}

function StatusLine({ view, result }: { view: View; result: Result | null }) {
  const elapsed = useElapsed(view.run?.startedAt ?? null);
  if (view.run)
    return (
      <div class="status">
        <span class="status-text" title={view.run.message}>
          {view.run.message}
        </span>
        <span class="elapsed">{formatDuration(elapsed)}</span>
        <Button onClick={() => send({ type: 'cancel' })}>Cancel</Button>
      </div>
    );
  if (!result) return <div class="status" />;
  const partial = result.status === 'partial';
  return (
    <div class="status">
      <span class={partial ? 'state partial' : 'state'}>
        <span aria-hidden="true">{partial ? '\u25d0' : '\u2713'}</span>{' '}
        {partial ? 'Partial: score again to resume' : 'Complete'}
      </span>
      <span class="faint">{formatDate(result.provenance.date)}</span>
    </div>
  );
}

/** Name, value, and what it means where that needs words. */
type Fact = [name: string, value: string, hint?: string];
type ModelFacts = Pick<Result['model'], 'family' | 'layers' | 'parameters' | 'coverage'>;

const modelFacts = (model: ModelFacts): Fact[] => [
  ['Family', model.family],
  ['Layers', String(model.layers)],
  ['Weights', formatCount(model.parameters), model.parameters.toLocaleString('en-US')],
  ['Coverage', formatShare(model.coverage), 'Scored weights of all matrix and kernel weights of the layers'],
];

const resultFacts = ({ model, score, provenance }: Result): Fact[] => [
  ...modelFacts(model),
  ['Estimator', score.estimator + (score.projection ? `, projected to ${score.projection.rank}` : '')],
  ['Device', provenance.device || MISSING],
];

/** Before the first layer is finished: what the plan of the run knows. */
const estimateFacts = ({ model, device, seconds }: Estimate): Fact[] => [
  ...modelFacts(model),
  ['Expected', `about ${formatDuration(seconds)}`],
  ['Device', device],
];

function Facts({ facts }: { facts: Fact[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value, hint]) => (
        <div key={name} title={hint}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Seconds since `startedAt`, counted by the page so that it moves between two messages. */
function useElapsed(startedAt: number | null): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (startedAt === null) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [startedAt]);
  return startedAt === null ? 0 : Math.max(0, (now - startedAt) / 1000);
}
