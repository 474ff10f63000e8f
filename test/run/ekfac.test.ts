/** Whole runs with the estimator ekfac, through the real engine process. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import { machine, numbersOf, score, tinyWorkspace } from './workspace.ts';

for (const fisher of ['true', 'empirical'] as const) {
  test(`a run with the ${fisher} Fisher; killed after a layer, the resumed run gives the same`, async (t) => {
    const { experiment, edit } = tinyWorkspace(t, { estimator: 'ekfac' });
    if (fisher === 'empirical') edit('  estimator: ekfac\n', '  estimator: ekfac\n  fisher: empirical\n');
    const { result, resultFile } = await score(experiment, { outputDir: 'elsewhere', tasks: ['sentiment'] });
    assert.equal(result.score.fisher, fisher);
    assert.equal(result.experiment.score.fisher, fisher);
    const [task] = result.tasks;
    assert.ok(task.influence.flat().every(Number.isFinite) && task.layers.every((layer) => layer.score > 0));

    // λ is a tenth of the mean eigenvalue; that of the empirical Fisher is the mean squared gradient entry.
    const grams = readSafetensors(path.join(path.dirname(resultFile), 'grams.safetensors'));
    const [module] = result.model.modules;
    const value = (name: string) => grams.tensor(`sentiment/1.${module}.${name}`) as Float64Array;
    const K = value('K');
    const meanSquare = Array.from({ length: 8 }, (_, i) => K[i * 9]).reduce((a, b) => a + b) / (8 * 32 * 32);
    const mean = value('ekfac.mean_eigenvalue')[0];
    if (fisher === 'empirical') assert.ok(Math.abs(mean / meanSquare - 1) < 1e-5, `${mean / meanSquare}`);
    else assert.ok(Math.abs(mean / meanSquare - 1) > 1e-3, 'labels drawn from the model give other gradients');
    assert.ok(Math.abs(task.damping[1][0]! / (0.1 * mean) - 1) < 1e-6);
    assert.deepEqual(
      [...value('ekfac.damping')].map((l) => Number((l / mean).toPrecision(5))),
      [0.1, 0.001, 0.01, 1, 10, 100, 1000],
    );

    const engine = new EnginePool();
    t.after(() => engine.dispose());
    const { pid } = await engine.start(machine);
    const onEvent = (event: { type: string }) => {
      if (event.type === 'layers') process.kill(pid, 'SIGKILL');
    };
    await assert.rejects(score(experiment, { engine, onEvent, checkpointSeconds: 0, tasks: ['sentiment'] }), {
      code: 'engineDied',
    });
    const resumed = await score(experiment, { engine, checkpointSeconds: 0, tasks: ['sentiment'] });
    const [started] = resumed.events;
    assert.ok(started.type === 'started' && started.resumed, 'the run was resumed');
    assert.deepEqual(numbersOf(resumed.result), numbersOf(result));
  });
}
