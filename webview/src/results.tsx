/** The page of the results editor. */
import './styles/page.css';
import './styles/charts.css';
import './styles/tables.css';
import './styles/decisions.css';
import './styles/data.css';
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Result } from '../../protocol/result.ts';
import { Header } from './components/Header.tsx';
import { MISSING, formatDate } from './model/format.ts';
import { Patterns } from './components/patterns.tsx';
import { ScoresAlone } from './components/ScoresAlone.tsx';
import { Tabs } from './components/Tabs.tsx';
import { useExports } from './exports.tsx';
import { onMessage, useChoices, useView } from './host.ts';
import { useRescored } from './rescored.ts';
import type { RescoredView } from './rescored.ts';
import type { TabProps } from './tabProps.ts';
import { tabs } from './tabs.tsx';
import type { TabRow } from './tabs.tsx';

/** What is drawn to be taken away chooses nothing. */
const nothing = () => undefined;

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
  const shown = result ? tabs.filter((tab) => tab.shown(result)) : [];
  const running = view.run !== null;
  const content = ({ Content }: TabRow, own: Result, seen: RescoredView, adjust: TabProps['change']) => (
    <Content
      result={own}
      rescored={seen}
      trust={view.trust}
      scores={view.scores}
      running={running}
      choices={choices}
      change={adjust}
    />
  );
  const scoresAlone = view.scores?.alone ? view.scores.scores : null;
  useExports(
    scoresAlone
      ? () => [
          {
            id: 'scores',
            name: 'Scores',
            content: <ScoresAlone file={scoresAlone} choices={choices} change={nothing} />,
          },
        ]
      : result && rescored
        ? () => [
            { id: 'run', name: 'Result', content: <Header view={view} result={result} details /> },
            ...shown.map((tab) => ({ id: tab.id, name: tab.name, content: content(tab, result, rescored, nothing) })),
          ]
        : null,
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
  if (scoresAlone) {
    const { model, provenance } = scoresAlone;
    return (
      <main class="page">
        <Patterns />
        <header>
          <h1>{model.name}</h1>
          <p class="description">
            {scoresAlone.tables.every(({ rows }) => rows) ? 'Scores of rows' : `Layer scores of ${model.layers} layers`}
            {provenance?.date ? `, ${formatDate(provenance.date)}` : ''}, on {provenance?.device || MISSING}
          </p>
        </header>
        <ScoresAlone file={scoresAlone} choices={choices} change={change} />
      </main>
    );
  }
  const selected = shown.find((tab) => tab.id === choices.tab) ?? shown[0];
  return (
    <main class="page">
      <Patterns />
      <Header view={view} result={result} details={choices.details} onDetails={(details) => change({ details })} />
      {result && rescored && selected ? (
        <Tabs label="Result" tabs={shown} selected={choices.tab} onSelect={(tab) => change({ tab })}>
          {content(selected, result, rescored, change)}
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
