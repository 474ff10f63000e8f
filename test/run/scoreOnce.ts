/**
 * A process of its own that scores: node scoreOnce.ts EXPERIMENT MEMORY_BYTES. Saves its state at every segment
 * boundary.
 */
import { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import { scoreExperiment } from '../../server/src/run/influence/score.ts';

const machine = { device: 'cpu', threads: 1 } as const;

const [file, memoryBytes] = process.argv.slice(2);
const engine = new EnginePool();
try {
  await scoreExperiment({
    file,
    machine: { ...machine, memoryBytes: Number(memoryBytes) },
    engine,
    checkpointSeconds: 0,
  });
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  engine.dispose();
}
