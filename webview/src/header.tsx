/** The page of the editor *Model Layers*: what the header of a model file says. Everything it says is shown as text. */
import './styles/page.css';
import './styles/tables.css';
import './styles/inspect.css';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ModelHeader } from '../../protocol/modelHeader.ts';
import { useAnswer } from './ask.ts';
import { Button } from './components/controls.tsx';
import { Fault } from './components/Fault.tsx';
import { PlainTable } from './components/PlainTable.tsx';
import { onMessage, send } from './host.ts';
import { headerFacts, headerTables } from './model/header.ts';
import type { Table } from './model/header.ts';

type Shown = { file: string; revision: number } | { fault: string };

function HeaderPage() {
  const [shown, setShown] = useState<Shown | null>(null);
  useEffect(() => {
    const stop = onMessage((message) => {
      if (message.type === 'inspecting') setShown({ file: message.file, revision: message.revision });
      if (message.type === 'failed') setShown({ fault: message.message });
    });
    send({ type: 'ready' });
    return stop;
  }, []);
  if (shown === null) return <main class="page" aria-busy="true" />;
  return 'fault' in shown ? (
    <main class="page">
      <h1>Model Layers</h1>
      <Fault words={shown.fault} />
    </main>
  ) : (
    <Asked {...shown} />
  );
}

function Asked({ file, revision }: { file: string; revision: number }) {
  const { answer, pending, failure } = useAnswer(`${file} ${revision}`, 'modelHeader', {});
  const fault = failure ?? answer?.error?.message ?? null;
  const onDisk = /^(?:[/\\]|[A-Za-z]:)/.test(file);
  const header = answer?.header ?? null;
  return (
    <main class="page" aria-busy={pending}>
      <div class="title-row">
        <h1 title={file}>{onDisk ? file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1) : file}</h1>
        {onDisk && header && (
          <Button onClick={() => send({ type: 'inspectWhole' })}>
            {header.format === 'safetensors' ? 'Inspect Its Folder' : 'Inspect Model Layers'}
          </Button>
        )}
      </div>
      {pending && header === null && <p class="caption">Reading the header…</p>}
      {fault !== null && <Fault words={fault} />}
      {header && <Header header={header} />}
    </main>
  );
}

function Header({ header }: { header: ModelHeader }) {
  return (
    <>
      <dl class="facts">
        {headerFacts(header).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {header.notes.map((note) => (
        <p key={note} class="note">
          {note}
        </p>
      ))}
      {headerTables(header).map((table) => (
        <TableSection key={table.title} table={table} />
      ))}
    </>
  );
}

function TableSection({ table: { title, columns, rows } }: { table: Table }) {
  const id = title.toLowerCase().replaceAll(' ', '-');
  return (
    <section>
      <h2 id={id}>{title}</h2>
      <div class="table-scroll inspect-tall" tabIndex={0} role="region" aria-labelledby={id}>
        <PlainTable
          columns={columns.map(({ name }) => name)}
          rows={rows}
          numeric={(column) => columns[column]?.number ?? false}
        />
      </div>
    </section>
  );
}

render(<HeaderPage />, document.getElementById('root')!);
