/** The page of the results editor. */
import './styles/page.css';
import './styles/charts.css';
import './styles/tables.css';
import './styles/decisions.css';
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { Header } from './components/Header.tsx';
import { MISSING, formatDate } from './model/format.ts';
import { Patterns } from './components/patterns.tsx';
import { ScoresAlone } from './components/ScoresAlone.tsx';
import { Tabs } from './components/Tabs.tsx';
import { onMessage, useChoices, useView } from './host.ts';
import { useRescored } from './rescored.ts';
import { tabs } from './tabs.tsx';

function ResultsPage() {
  const view = useView();
  const [choices, change] = useChoices();
  const { result } = view;
  const rescored = useRescored(result, choices);
  useEffect(
    () =>
      onMessage((message) => {
        if (message.type !== 'showTab') return;
        const { tab, score } = message;
        change({ tab, ...(score === undefined ? {} : { scoreTable: score }) });
      }),
    [],
  );
  if (view.phase === 'loading') return <main class="page" aria-busy="true" />;
  if (view.phase === 'failed')
    return (
      <main class="page">
        <div class="message" role="alert">
          <h1>This result cannot be shown</h1>
          <p>{view.message}</p>
        </div>
      </main>
    );
  if (view.scores?.alone && view.scores.scores) {
    const { model, provenance } = view.scores.scores;
    return (
      <main class="page">
        <Patterns />
        <header>
          <h1>{model.name}</h1>
          <p class="description">
            Layer scores of {model.layers} layers{provenance?.date ? `, ${formatDate(provenance.date)}` : ''}, on{' '}
            {provenance?.device || MISSING}
          </p>
        </header>
        <ScoresAlone file={view.scores.scores} choices={choices} change={change} />
      </main>
    );
  }
  const running = view.run !== null;
  const shown = result ? tabs.filter((tab) => tab.shown(result)) : [];
  const Content = (shown.find((tab) => tab.id === choices.tab) ?? shown[0])?.Content;
  return (
    <main class="page">
      <Patterns />
      <Header view={view} result={result} />
      {result && rescored && Content ? (
        <Tabs label="Result" tabs={shown} selected={choices.tab} onSelect={(tab) => change({ tab })}>
          <Content
            result={result}
            rescored={rescored}
            trust={view.trust}
            scores={view.scores}
            running={running}
            choices={choices}
            change={change}
          />
        </Tabs>
      ) : (
        <p class="empty">
          {running
            ? 'Charts fill in as layers are finished, from the last layer to the first.'
            : 'There is no result yet.'}
        </p>
      )}
    </main>
  );
}

render(<ResultsPage />, document.getElementById('root')!);
