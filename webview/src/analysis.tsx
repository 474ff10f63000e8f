/** The page of a table's statistics: groups, curves, and rows as points, for the columns that are chosen. */
import './styles/page.css';
import './styles/charts.css';
import './styles/tables.css';
import './styles/decisions.css';
import './styles/statistics.css';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { TableColumn } from '../../protocol/analysis.ts';
import { useAnswer } from './ask.ts';
import { AnalysisFields } from './components/AnalysisFields.tsx';
import { Curves, Groups, Points } from './components/AnalysisParts.tsx';
import { Fault } from './components/Fault.tsx';
import { Patterns } from './components/patterns.tsx';
import { onMessage, send } from './host.ts';
import { firstChoices, notesOf, projectionRequest, requestOf } from './model/analysis.ts';
import type { AnalysisChoices } from './model/analysis.ts';
import { plural } from './model/format.ts';

function AnalysisPage() {
  const [shown, setShown] = useState<{ file: string; revision: number } | null>(null);
  useEffect(() => {
    const stop = onMessage((message) => {
      if (message.type === 'analysing') setShown({ file: message.file, revision: message.revision });
    });
    send({ type: 'ready' });
    return stop;
  }, []);
  return shown ? <Table {...shown} /> : <main class="page" aria-busy="true" />;
}

function Table({ file, revision }: { file: string; revision: number }) {
  const source = `${file} ${revision}`;
  const { answer, failure, pending } = useAnswer(source, 'tableColumns', {});
  const name = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
  const fault = failure ?? answer?.error?.message ?? null;
  const columns = answer?.columns ?? null;
  return (
    <main class="page" aria-busy={pending}>
      <Patterns />
      <h1 title={file}>Statistics of {name}</h1>
      {fault !== null && <Fault words={fault} />}
      {columns && <Chosen source={source} columns={columns} />}
    </main>
  );
}

function Chosen({ source, columns }: { source: string; columns: TableColumn[] }) {
  const [chosen, setChosen] = useState<AnalysisChoices | null>(null);
  const choices = chosen ?? firstChoices(columns);
  if (!choices)
    return <Fault words="No column of this table holds numbers that differ, so there is nothing to explain." />;
  return (
    <Answers
      source={source}
      columns={columns}
      choices={choices}
      change={(part) => setChosen({ ...choices, ...part })}
    />
  );
}

function Answers(props: {
  source: string;
  columns: TableColumn[];
  choices: AnalysisChoices;
  change: (part: Partial<AnalysisChoices>) => void;
}) {
  const { source, columns, choices, change } = props;
  const request = requestOf(choices);
  const placed = projectionRequest(choices, columns);
  const tests = useAnswer(source, 'analyse', request, 300);
  const points = useAnswer(source, 'analyse', placed, 300);
  const analysis = request && (tests.answer?.analysis ?? null);
  const drawn = placed && (points.answer?.analysis ?? null);
  const faults = [tests, points].flatMap(({ failure, answer }) => failure ?? answer?.error?.message ?? []);
  const busy = tests.pending || points.pending;
  return (
    <>
      <AnalysisFields columns={columns} choices={choices} change={change} />
      <p class="caption" role="status">
        {busy && (request ?? placed)
          ? 'Computing\u2026'
          : analysis
            ? plural(analysis.table.rows, 'row')
            : 'Choose a factor or a curve.'}
      </p>
      {faults.map((words) => (
        <Fault key={words} words={words} />
      ))}
      {analysis?.comparisons.map((comparison) => (
        <Groups key={comparison.factor} comparison={comparison} />
      ))}
      {analysis?.models.map((model) => (
        <Curves key={model.formula} model={model} log={choices.log} />
      ))}
      {drawn?.projections.map((projection) => (
        <Points key={projection.method} projection={projection} clusters={drawn.clusters} />
      ))}
      {[analysis, drawn].some(Boolean) && (
        <section aria-labelledby="notes-heading">
          <h2 id="notes-heading">What to know</h2>
          <ul class="prose notes">
            {[...new Set([analysis, drawn].flatMap((one) => (one ? notesOf(one) : [])))].map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

render(<AnalysisPage />, document.getElementById('root')!);
