/** The self-check of gradients: one row per check with what it means. */
import type { Trust } from '../../../protocol/webview.ts';
import { send } from '../host.ts';
import { formatDate, formatDuration, formatNumber, plural } from '../model/format.ts';
import { checkWord } from '../model/trust.ts';
import { Button } from './controls.tsx';

export function SelfCheck({ check, busy }: { check: Trust['check']; busy: boolean }) {
  const report = check?.report;
  return (
    <section aria-labelledby="check-heading">
      <div class="section-head">
        <h2 id="check-heading">Gradients</h2>
        <Button disabled={busy} onClick={() => send({ type: 'command', command: 'checkGradients' })}>
          {report ? 'Check Again' : 'Check Gradients'}
        </Button>
      </div>
      {!check || !report ? (
        <p class="empty">
          Not checked yet on this machine. The check runs your model on a few of your samples alone, padded and batched,
          and moves the weights a little to see whether the loss follows the gradient.
        </p>
      ) : (
        <>
          <p class="caption">
            <strong class={report.passed ? 'state' : 'state partial'}>
              {report.passed ? '\u2713 All checks passed' : '\u2717 A check failed'}
            </strong>{' '}
            on {plural(report.samples, 'sample')} of {report.task}, {report.device}, {formatDate(check.date)},{' '}
            {formatDuration(report.seconds)}.
          </p>
          <div class="table-scroll" tabIndex={0} role="region" aria-label="Self-check of gradients">
            <table class="data checks">
              <caption class="spoken">Self-check of gradients</caption>
              <thead>
                <tr>
                  <th scope="col">Check</th>
                  <th scope="col" class="number">
                    Difference
                  </th>
                  <th scope="col" class="number">
                    Allowed
                  </th>
                  <th scope="col">Result</th>
                  <th scope="col">What it means</th>
                </tr>
              </thead>
              <tbody>
                {report.checks.map((row) => (
                  <tr key={row.id}>
                    <th scope="row">{row.title}</th>
                    <td class="number">{formatNumber(row.value, 2)}</td>
                    <td class="number faint">{formatNumber(row.limit, 2)}</td>
                    <td class={row.passed === false ? 'bad' : undefined}>
                      {row.passed === false && <span aria-hidden="true">{'\u2717'} </span>}
                      {checkWord(row)}
                    </td>
                    <td class="reason">{row.sentence}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </section>
  );
}
