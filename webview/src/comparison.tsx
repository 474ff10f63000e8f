/** The page of the comparison editor. */
import './styles/page.css';
import './styles/charts.css';
import './styles/tables.css';
import './styles/decisions.css';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ToWebview } from '../../protocol/webview.ts';
import { Patterns } from './components/patterns.tsx';
import { PruningComparison } from './components/PruningComparison.tsx';
import { RunComparison } from './components/RunComparison.tsx';
import { onMessage, remember, send } from './host.ts';

function ComparisonPage() {
  const [message, setMessage] = useState<ToWebview | null>(null);
  useEffect(() => {
    const stop = onMessage((told) => {
      if (told.type === 'runComparison')
        remember({ files: [...new Set(told.comparison.series.map(({ file }) => file))] });
      setMessage(told);
    });
    send({ type: 'ready' });
    return stop;
  }, []);
  if (message?.type === 'failed')
    return (
      <main class="page">
        <div class="message" role="alert">
          <h1>This comparison cannot be shown</h1>
          <p>{message.message}</p>
        </div>
      </main>
    );
  if (message?.type !== 'pruningComparison' && message?.type !== 'runComparison')
    return <main class="page" aria-busy="true" />;
  return (
    <main class="page">
      <Patterns />
      {message.type === 'runComparison' ? (
        <RunComparison comparison={message.comparison} />
      ) : (
        <PruningComparison comparison={message.comparison} />
      )}
    </main>
  );
}

render(<ComparisonPage />, document.getElementById('root')!);
