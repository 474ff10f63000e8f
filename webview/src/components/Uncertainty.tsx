/** Two halves and draws: would other samples of the same kind order the layers alike? */
import { badgeSentence, correlationText, uncertaintySentences } from '../../../protocol/readability.ts';
import type { Result, ResultTask } from '../../../protocol/result.ts';
import { MISSING } from '../model/format.ts';

export function Uncertainty({ result, running }: { result: Result; running: boolean }) {
  const known = result.tasks.filter(({ uncertainty }) => uncertainty);
  return (
    <section aria-labelledby="uncertainty-heading">
      <h2 id="uncertainty-heading">Other samples</h2>
      {known.length === 0 ? (
        <p class="empty">
          {result.status === 'partial'
            ? `Intervals are computed ${running ? 'at the end of the run' : 'once the run is complete: score again, it continues where it was'}.`
            : 'This result has no intervals: it was written by an earlier version, or has too few samples. Score again to get them.'}
        </p>
      ) : (
        <>
          <div class="table-scroll" tabIndex={0} role="region" aria-label="Stability per task">
            <table class="data">
              <caption class="spoken">Stability of the layer scores per task</caption>
              <thead>
                <tr>
                  <th scope="col">Task</th>
                  <th scope="col" class="number">
                    Two halves, Spearman
                  </th>
                  <th scope="col" class="number">
                    Range
                  </th>
                  <th scope="col" class="number">
                    Unstable layers
                  </th>
                  <th scope="col" class="number">
                    Replicates
                  </th>
                </tr>
              </thead>
              <tbody>
                {known.map(({ task, layers, uncertainty }) => (
                  <tr key={task}>
                    <th scope="row">{task}</th>
                    <td class="number">{correlationText(uncertainty!.halves?.median ?? null)}</td>
                    <td class="number">
                      {uncertainty!.halves
                        ? `${correlationText(uncertainty!.halves.low)} to ${correlationText(uncertainty!.halves.high)}`
                        : MISSING}
                    </td>
                    <td class="number">
                      {uncertainty!.unstable} of {layers.length}
                    </td>
                    <td class="number">{uncertainty!.replicates}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {known.map((task) => (
            <Sentences key={task.task} title={known.length > 1 ? task.task : ''} lines={verdictLines(task)} />
          ))}
        </>
      )}
    </section>
  );
}

function verdictLines(task: ResultTask): string[] {
  const badge = badgeSentence(task);
  return [...(badge === null ? [] : [badge]), ...uncertaintySentences(task)];
}

/** What a part of this tab means. */
export function Sentences({ title, lines }: { title: string; lines: readonly string[] }) {
  return (
    <div class="meaning">
      {title !== '' && <h3>{title}</h3>}
      {lines.map((line) => (
        <p key={line}>{line}</p>
      ))}
    </div>
  );
}
