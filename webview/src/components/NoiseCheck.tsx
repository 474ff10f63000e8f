/**
 * In which layers does influence find mislabelled rows? The labels of a share of the training samples are changed, and
 * their influence is computed in a run of its own, which lies beside the result.
 */
import { useState } from 'preact/hooks';
import type { Result } from '../../../protocol/result.ts';
import { formatShare } from '../model/format.ts';
import { useMeasuring } from '../measured.ts';
import { Button, Select } from './controls.tsx';
import { Slider } from './Slider.tsx';
import { MeasuringFault } from './WhatIf.tsx';

export function NoiseCheck({ result, source }: { result: Result; source: string }) {
  const [share, setShare] = useState(0.2);
  const [chosen, setChosen] = useState('');
  const { busy, failure, measure } = useMeasuring(source);
  // Without choices there is no other label.
  const tasks = result.experiment.tasks.filter(({ doc_to_choice }) => doc_to_choice !== undefined);
  const task = tasks.find((one) => one.task === chosen) ?? tasks.at(0);
  if (!task) return null;
  return (
    <section class="what-if" aria-labelledby="noise-heading" aria-busy={busy}>
      <h2 id="noise-heading">Where does influence find mislabelled rows?</h2>
      <p class="caption">
        Changes the labels of a share of the training samples and computes their influence in a run of its own: as long
        as the first one. The score <code>ndr</code> then says how many of them each layer ranks lowest.
      </p>
      <div class="controls">
        {tasks.length > 1 && (
          <Select
            label="Task"
            value={task.task}
            options={tasks.map(({ task: id }) => ({ id, name: id }))}
            onChange={setChosen}
          />
        )}
        <Slider
          label="Changed labels"
          value={share}
          min={0.05}
          max={0.5}
          step={0.05}
          text={formatShare(share)}
          onChange={setShare}
        />
        <Button disabled={busy} onClick={() => measure([{ id: 'ndr', options: { flips: share, task: task.task } }])}>
          Change labels and measure
        </Button>
      </div>
      <p role="status" class="faint">
        {busy ? 'Measuring\u2026 Progress and cancel are in the notification.' : ''}
      </p>
      <MeasuringFault failure={failure} />
    </section>
  );
}
