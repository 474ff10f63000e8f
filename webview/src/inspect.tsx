/**
 * The page of an inspected model: its layers, with another pattern while it is typed, and the start of an experiment.
 */
import './styles/page.css';
import './styles/tables.css';
import './styles/inspect.css';
import { render } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { InspectedModel } from '../../protocol/inspection.ts';
import { useAnswer } from './ask.ts';
import { Button, TextField } from './components/controls.tsx';
import { InspectedTables } from './components/InspectedTables.tsx';
import { onMessage, remember, remembered, send } from './host.ts';
import { formatCount, formatShare } from './model/format.ts';
import { inputWords, lossWords } from './model/inspection.ts';

function InspectPage() {
  const [shown, setShown] = useState<{ file: string; revision: number } | null>(null);
  useEffect(() => {
    const stop = onMessage((message) => {
      if (message.type === 'inspecting') setShown({ file: message.file, revision: message.revision });
    });
    send({ type: 'ready' });
    return stop;
  }, []);
  return shown ? <Inspection {...shown} /> : <main class="page" aria-busy="true" />;
}

/** What stood in the fields when the window was reloaded. */
function fieldsOf(state: unknown, file: string): { layersPattern: string; output: string } {
  const known = state as { file?: unknown; layersPattern?: unknown; output?: unknown } | undefined;
  const field = (value: unknown) => (known?.file === file && typeof value === 'string' ? value : '');
  return { layersPattern: field(known?.layersPattern), output: field(known?.output) };
}

/** Fields of a graph; a file that changes is read again with what stands in them. */
function Inspection({ file, revision }: { file: string; revision: number }) {
  const before = useMemo(() => fieldsOf(remembered(), file), [file]);
  const [layersPattern, setPattern] = useState(before.layersPattern);
  const [output, setOutput] = useState(before.output);
  useEffect(() => remember({ file, layersPattern, output }), [file, layersPattern, output]);
  const { answer, pending, failure } = useAnswer(`${file} ${revision}`, 'inspectModel', { layersPattern, output });
  const last = useRef<InspectedModel | null>(null);
  if (answer?.model) last.current = answer.model;
  const model = last.current;
  const fault = failure ?? answer?.error?.message ?? null;
  const name = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
  return (
    <main class="page" aria-busy={pending}>
      <div class="title-row">
        <h1 title={file}>{name}</h1>
        <Button
          primary
          disabled={pending || fault !== null}
          onClick={() => send({ type: 'createExperiment', layersPattern, output })}
        >
          Create Experiment
        </Button>
      </div>
      {model && <Facts model={model} />}
      {/\.onnx$/i.test(file) && (
        <div class="controls inspect-fields" role="group" aria-label="How the graph is read">
          <TextField
            label="Layers are named"
            value={layersPattern}
            placeholder="such as encoder.layer.{}"
            invalid={fault !== null && layersPattern !== ''}
            onInput={setPattern}
          />
          <TextField
            label="Output with the logits"
            value={output}
            placeholder={model?.graph ? `${model.graph.logits} (found by itself)` : 'name of an output'}
            invalid={fault !== null && output !== ''}
            onInput={setOutput}
          />
        </div>
      )}
      {fault !== null && (
        <div class="message" role="alert">
          <p>{fault}</p>
          {model && <p class="note">Below: the layers as they were found last.</p>}
        </div>
      )}
      {fault === null && model?.graph && (
        <p class="caption" role="status">
          {layersFound(model)} by {model.graph.how}. In a pattern {'{}'} stands for the number of a layer.
        </p>
      )}
      {model && <InspectedTables model={model} />}
    </main>
  );
}

const layersFound = ({ layerNames: { length } }: InspectedModel) =>
  `${length} ${length === 1 ? 'layer' : 'layers'} found`;

function Facts({ model }: { model: InspectedModel }) {
  const { family, layerNames, parameters, scoredParameters, coverage, dtypes, graph } = model;
  const facts: [name: string, value: string, title?: string][] = [
    ['Model', family],
    ['Layers', String(layerNames.length)],
    ['Weights', formatCount(parameters)],
    ['Scored weights', formatCount(scoredParameters)],
    ['Coverage', formatShare(coverage), "Scored weights of the layers' weights"],
    ['Stored as', Object.keys(dtypes).join(', ')],
    ...(graph
      ? ([
          ['Loss', lossWords(model)],
          ['Output', graph.logits],
          ['Samples bring', inputWords(model)],
        ] as [string, string][])
      : []),
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value, title]) => (
        <div key={name} title={title}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

render(<InspectPage />, document.getElementById('root')!);
