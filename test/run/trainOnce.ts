/** A process of its own that trains: node trainOnce.ts EXPERIMENT. Saves its state behind every step. */
import { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import { trainExperiment } from '../../server/src/run/train/train.ts';

const engine = new EnginePool();
try {
  await trainExperiment({
    file: process.argv[2],
    machine: { device: 'cpu', threads: 1 },
    engine,
    checkpointSeconds: 0,
  });
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  engine.dispose();
}
