/**
 * `NAME.layerif-scores.json`, in which scores of layers and of rows stand: where it lies, what is read of it, how a run
 * begins, adds to and completes it. It is complete JSON at every moment.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import { SCORES_SUFFIX } from '../../../../protocol/scores.ts';
import type { ObserveSummary, ScoresFile, Tensors } from '../../../../protocol/scores.ts';
import type { EngineInfo } from '../../../../protocol/engine.ts';
import { provenanceOf } from '../files/provenance.ts';
import { readFileOf } from '../files/readFile.ts';
import { writeJson } from '../files/results.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import { resetPeakMemory } from '../machine/memory.ts';
import type { Machine } from '../../../../protocol/run.ts';
import type { KeyedNeed } from './needs.ts';
import type { ObservationFiles } from './observationFiles.ts';
import { entry } from '../../lists/entry.ts';

/** `NAME.layerif-scores.json` beside a result. */
export function scoresFileOf(resultFile: string): string {
  if (resultFile.endsWith(SCORES_SUFFIX)) return resultFile;
  return resultFile.replace(/(\.layerif-result)?\.json$/, SCORES_SUFFIX);
}

/** The tables beside a result; null where there are none, or none of this model. */
export function readScores(file: string, modelSha256: string): ScoresFile | null {
  try {
    const found = readFileOf('scores', file);
    return found.model.sha256 === modelSha256 ? found : null;
  } catch {
    return null;
  }
}

/**
 * @param expected of the result beside which the tables stand
 * @throws LayerifError `badModel` for another model
 */
export function requireModelOf(
  scoresFile: string,
  { path, sha256 }: { path: string; sha256: string },
  expected: string | undefined,
): void {
  if (expected === undefined || expected === sha256) return;
  throw new LayerifError(
    'badModel',
    `${path} is not the model of ${scoresFile.replace(SCORES_SUFFIX, '')}: its weights were changed since; score again`,
  );
}

/** Starts the engine of a run, whose peak of memory counts from here. */
export async function startedEngine({
  machine,
  engine,
}: {
  machine: Machine;
  engine: EnginePool;
}): Promise<EngineInfo> {
  const info = await engine.start(machine);
  for (const pid of ['self', info.pid] as const) resetPeakMemory(pid);
  return info;
}

/** The file with the tables that there are, to be added to. @param engine null where nothing is asked of the model */
export function begunScores(
  made: ScoresFile | null,
  engine: EngineInfo | null,
  own: Pick<ScoresFile, 'experimentFile' | 'model' | 'refused'> & { dataSha256: Record<string, string>; seed: number },
): ScoresFile {
  const { experimentFile, model, refused, dataSha256, seed } = own;
  const shared = {
    seconds: { ...made?.provenance.seconds },
    dataSha256: { ...made?.provenance.dataSha256, ...dataSha256 },
    seed,
  };
  return {
    format: 'layerif-scores',
    version: 1,
    status: 'partial',
    experimentFile,
    model,
    tables: made?.tables ?? [],
    ...(refused && refused.length > 0 ? { refused } : {}),
    provenance: {
      ...(engine ? provenanceOf(engine, shared) : { ...made!.provenance, ...shared }),
      peakMemoryBytes: made?.provenance.peakMemoryBytes ?? 0,
    },
  };
}

/** What a pass has observed, on disk and at hand, and what it took. @param label of its seconds */
export function keepPass(
  pass: readonly KeyedNeed[],
  summary: ObserveSummary,
  {
    files,
    known,
    file,
    label,
  }: { files: ObservationFiles; known: Map<string, Tensors>; file: ScoresFile; label: string },
): void {
  for (const need of pass) {
    const tensors = entry(summary.observations, need.hash);
    files.write(need, tensors);
    known.set(need.key, tensors);
  }
  const { seconds, peakMemoryBytes } = file.provenance;
  seconds[label] = (seconds[label] ?? 0) + summary.seconds;
  file.provenance.peakMemoryBytes = Math.max(peakMemoryBytes, summary.peakMemoryBytes);
}

/** All tables are there, or refused. */
export function completed(file: ScoresFile, scoresFile: string): void {
  file.status = 'complete';
  writeJson(scoresFile, file);
}
