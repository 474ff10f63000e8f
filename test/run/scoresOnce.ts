/**
 * A process of its own that computes the scores of an experiment: node scoresOnce.ts EXPERIMENT. Saves its state behind
 * every layer.
 */
import { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import { runExperiment } from '../../server/src/run/influence/runExperiment.ts';

const machine = { device: 'cpu', threads: 1 } as const;

const engine = new EnginePool();
try {
  await runExperiment({
    file: process.argv[2],
    only: 'scores',
    machine,
    engine,
    checkpointSeconds: 0,
  });
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  engine.dispose();
}
