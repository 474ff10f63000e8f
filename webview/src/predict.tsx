/** The page of predictions: a slider for each number of the Performance Law, and what the law says. */
import './styles/page.css';
import './styles/charts.css';
import './styles/tables.css';
import './styles/decisions.css';
import './styles/statistics.css';
import { render } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { PredictedSize, Prediction, PredictionNumbers } from '../../protocol/prediction.ts';
import { useAnswer } from './ask.ts';
import { Button, Select, TextField } from './components/controls.tsx';
import { GridTable } from './components/GridTable.tsx';
import { Patterns } from './components/patterns.tsx';
import { SeriesChart } from './components/SeriesChart.tsx';
import { Slider } from './components/Slider.tsx';
import { onMessage, send } from './host.ts';
import { formatTick } from './model/format.ts';
import { gridMarkdown } from './model/grid.ts';
import {
  bandWords,
  byHand,
  curveOf,
  curveOptions,
  originWords,
  removedGrid,
  sensitivityGrid,
  shortAxis,
  sliders,
} from './model/prediction.ts';

function PredictPage() {
  const [file, setFile] = useState<string | null>(null);
  useEffect(() => {
    const stop = onMessage((message) => {
      if (message.type === 'predicting') setFile(message.file);
    });
    send({ type: 'ready' });
    return stop;
  }, []);
  return file === null ? <main class="page" aria-busy="true" /> : <Predicted key={file} file={file} />;
}

function Predicted({ file }: { file: string }) {
  const start: PredictionNumbers = file === '' ? byHand : {};
  const [numbers, setNumbers] = useState(start);
  const [measured, setMeasured] = useState('');
  const score = measured.trim() === '' ? undefined : Number(measured);
  const wrong = score !== undefined && !(score >= 0 && score <= 100);
  const asked = score === undefined || wrong ? numbers : { ...numbers, measured: score };
  const { answer, pending, failure } = useAnswer(file, 'predict', asked, 80);
  const prediction = answer?.prediction ?? null;
  const fault = failure ?? answer?.error?.message ?? null;
  return (
    <main class="page" aria-busy={pending}>
      <Patterns />
      <div class="title-row">
        <h1 title={file}>Predicted score{prediction?.name ? ` of ${prediction.name}` : ''}</h1>
        {prediction && (
          <Button onClick={() => send({ type: 'copy', text: textOf(prediction), what: 'Prediction as Markdown' })}>
            Copy as Markdown
          </Button>
        )}
        <Button onClick={() => setNumbers(start)} disabled={numbers === start}>
          Reset
        </Button>
      </div>
      {fault !== null && (
        <div class="message" role="alert">
          <p>{fault}</p>
        </div>
      )}
      {prediction && (
        <>
          <p class="prediction" role="status">
            MMLU {prediction.score.toFixed(1)}
          </p>
          <p class="caption">
            {bandWords(prediction)}. {originWords(prediction)}
          </p>
          <div class="prediction-sliders" role="group" aria-label="Numbers of the model">
            {sliders.map(({ of, label, min, max, step, toPlace, toValue, text }) => {
              const value = numbers[of] ?? prediction.input[of];
              return (
                <Slider
                  key={of}
                  label={label}
                  min={min}
                  max={max}
                  step={step}
                  value={toPlace(value)}
                  text={text(value)}
                  onChange={(place) => setNumbers((old) => ({ ...old, [of]: toValue(place) }))}
                />
              );
            })}
            <TextField
              label="Measured MMLU"
              value={measured}
              placeholder="none"
              invalid={wrong}
              onInput={setMeasured}
            />
          </div>
          {prediction.measured && (
            <p class="sign">
              Measured {prediction.measured.score.toFixed(1)}, {prediction.measured.difference >= 0 ? '+' : '\u2212'}
              {Math.abs(prediction.measured.difference).toFixed(1)} beside the prediction: {prediction.measured.words}.
            </p>
          )}
          <Details prediction={prediction} />
        </>
      )}
    </main>
  );
}

function Details({ prediction }: { prediction: Prediction }) {
  const [of, setOf] = useState<PredictedSize>('tokens');
  const curve = useMemo(() => curveOf(prediction, of), [prediction, of]);
  const axis = curveOptions.find(({ id }) => id === of)?.name ?? '';
  return (
    <>
      <section aria-labelledby="curve-heading">
        <div class="section-head">
          <h2 id="curve-heading">Over one size</h2>
          <div class="controls">
            <Select label="Size" value={of} options={curveOptions} onChange={setOf} />
          </div>
        </div>
        <p class="caption">From a quarter of the value to four times; the other numbers as they are.</p>
        <SeriesChart
          name={`Predicted MMLU over ${axis.toLowerCase()}`}
          series={curve.series}
          slots={curve.slots}
          axis={shortAxis(of)}
          format={formatTick}
        />
      </section>
      <section aria-labelledby="worth-heading">
        <h2 id="worth-heading">What each size is worth</h2>
        <GridTable grid={sensitivityGrid(prediction)} />
      </section>
      <section aria-labelledby="removed-heading">
        <h2 id="removed-heading">Layers removed (extrapolation)</h2>
        <GridTable grid={removedGrid(prediction)} />
      </section>
      <section aria-labelledby="know-heading">
        <h2 id="know-heading">What to know</h2>
        <ul class="prose notes">
          {prediction.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      </section>
    </>
  );
}

function textOf(prediction: Prediction): string {
  const { score, notes, name } = prediction;
  return [
    `# Predicted MMLU ${score.toFixed(1)}${name ? ` of ${name}` : ''}`,
    '',
    bandWords(prediction),
    '',
    gridMarkdown(sensitivityGrid(prediction)),
    gridMarkdown(removedGrid(prediction)),
    ...notes.map((note) => `- ${note}`),
    '',
  ].join('\n');
}

render(<PredictPage />, document.getElementById('root')!);
