/** Run: where the numbers come from, what they cost, and how to read them. */
import type { ComponentChildren } from 'preact';
import type { ResultSamples } from '../../../protocol/result.ts';
import {
  MISSING,
  formatBytes,
  formatCount,
  formatDate,
  formatDuration,
  formatNumber,
  formatShare,
} from '../model/format.ts';
import { lossSummary } from '../model/losses.ts';
import { send } from '../host.ts';
import type { TabProps } from '../tabProps.ts';
import { LinkButton } from './controls.tsx';

export function RunTab({ result }: TabProps) {
  const { model, provenance, experiment, score } = result;
  const { damping } = experiment.score;
  const { total: wall, ...phases } = provenance.seconds;
  const seconds = Object.entries(phases);
  const total = wall ?? seconds.reduce((sum, [, value]) => sum + value, 0);
  return (
    <>
      <section aria-labelledby="read-heading">
        <h2 id="read-heading">How to read a score</h2>
        <ul class="prose">
          <li>
            An influence estimates how a little more weight on one training sample, acting through one layer{'\u2019'}s
            weights, changes the validation loss.{' '}
            <strong>Positive: the loss falls, the sample helps. Negative: it rises, the sample hurts.</strong>
          </li>
          <li>
            A layer{'\u2019'}s score adds the influences of all training samples up: by default the positive ones only.
          </li>
          <li>
            Ranks and relative sizes within one task can be compared. The absolute scale depends on damping, sample
            count and loss, so it cannot be compared between tasks, models or estimators.
          </li>
          <li>
            A high score does not say that a layer stores the knowledge, nor that the others can be removed: it says
            where this data acts on this validation loss, to first order.
          </li>
        </ul>
      </section>

      <section aria-labelledby="samples-used-heading">
        <h2 id="samples-used-heading">Samples and losses</h2>
        <div class="table-scroll" tabIndex={0} role="region" aria-label="Samples and losses per task">
          <table class="data">
            <caption class="spoken">Samples and losses per task and split</caption>
            <thead>
              <tr>
                {['Task', 'Split'].map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
                {['Samples', 'Tokens', 'Cut', 'Mean loss', 'Lowest', 'Highest'].map((name) => (
                  <th key={name} scope="col" class="number">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {result.tasks.flatMap((task) => [
                <SplitRow key={`${task.task}-t`} task={task.task} split="train" data={task.train} />,
                <SplitRow key={`${task.task}-v`} task={task.task} split="validation" data={task.validation} />,
              ])}
            </tbody>
          </table>
        </div>
        <p class="note">
          Losses are mean nats per counted token. Cut: longer than max_length = {experiment.model.max_length} tokens.
        </p>
      </section>

      <section aria-labelledby="provenance-heading">
        <h2 id="provenance-heading">Provenance</h2>
        <dl class="pairs">
          <Pair name="Experiment">
            <LinkButton
              title="Open the experiment file"
              onClick={() =>
                send({ type: 'revealTask', task: result.tasks[0]?.task ?? experiment.tasks[0]?.task ?? '' })
              }
            >
              {result.experimentFile || MISSING}
            </LinkButton>
          </Pair>
          <Pair name="Model">
            <code>{experiment.model.path}</code>
          </Pair>
          <Pair name="Estimator">
            {score.estimator}, damping {damping.rule} {'\u00d7'} {damping.factor}, loss over{' '}
            {experiment.score.loss === 'all' ? 'all tokens' : 'answer tokens'}, aggregation{' '}
            {experiment.score.aggregation}
          </Pair>
          <Pair name="Projection">
            {score.projection ? `rank ${score.projection.rank}, seed ${score.projection.seed}` : 'none (exact)'}
          </Pair>
          {score.accumulate === 'sums' && (
            <Pair name="Accumulated">sums of gradients, all validation samples together</Pair>
          )}
          <Pair name="Scored weights">
            {formatCount(model.scoredParameters)} of {formatCount(model.parameters)}; coverage{' '}
            {formatShare(model.coverage)} of the layers{'\u2019'} matrices
          </Pair>
          <Pair name="Modules">{model.modules.join(', ') || MISSING}</Pair>
          <Pair name="Device">
            {provenance.device || MISSING}, {provenance.threads} threads
          </Pair>
          <Pair name="Date">{formatDate(provenance.date)}</Pair>
          <Pair name="Peak memory">{formatBytes(provenance.peakMemoryBytes)}</Pair>
          <Pair name="Versions">
            LayerIF {provenance.layerif}, ONNX Runtime {provenance.onnxruntime}
          </Pair>
          <Pair name="Seed">{provenance.seed}</Pair>
          <Pair name="Model SHA-256">
            <code>{model.sha256 || MISSING}</code>
          </Pair>
          {Object.entries(provenance.dataSha256).map(([file, hash]) => (
            <Pair key={file} name={`SHA-256 of ${file}`}>
              <code>{hash}</code>
            </Pair>
          ))}
        </dl>
      </section>

      <section aria-labelledby="time-heading">
        <h2 id="time-heading">Time</h2>
        {seconds.length === 0 ? (
          <p class="empty">Times are written when the run ends.</p>
        ) : (
          <table class="bars times">
            <caption class="spoken">Seconds by phase</caption>
            <tbody>
              {[...seconds, ['total', total] as const].map(([phase, value]) => (
                <tr key={phase}>
                  <th scope="row">{phase}</th>
                  <td class="bar">
                    <svg class="signed-bar" width="200" height="14" aria-hidden="true">
                      <rect
                        class="time-bar"
                        x="0"
                        y="2"
                        height="10"
                        width={total > 0 ? Math.max(1, (199 * value) / total) : 0}
                      />
                    </svg>
                  </td>
                  <td class="number">{formatDuration(value)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
    </>
  );
}

function Pair(props: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

function SplitRow({ task, split, data }: { task: string; split: string; data: ResultSamples }) {
  const loss = lossSummary(data.loss);
  return (
    <tr>
      <th scope="row">{task}</th>
      <td>{split}</td>
      {[data.samples, data.tokens, data.truncated].map((value, i) => (
        <td key={i} class="number">
          {value.toLocaleString('en-US')}
        </td>
      ))}
      {[loss.mean, loss.lowest, loss.highest].map((value, i) => (
        <td key={i} class="number">
          {formatNumber(value)}
        </td>
      ))}
    </tr>
  );
}
