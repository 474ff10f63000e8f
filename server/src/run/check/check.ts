/**
 * Everything that can be said about an experiment without running the model: the file itself, words that this version
 * does not compute, then the disk: model, datasets, splits, columns and templates. Every problem stands at the key it
 * is about.
 *
 * Two depths. `quick` (the editor, after every pause in typing) renders the first rows of each slice; `full` (the
 * command line) renders and tokenizes all of them.
 */
import path from 'node:path';
import type { Experiment } from '../../../../protocol/experiment.ts';
import type { Machine } from '../../../../protocol/run.ts';
import { parseExperiment, readExperimentText } from '../../config/experiment.ts';
import type { Positions, Problem } from '../../config/experiment.ts';
import { isUnder } from '../../config/mended.ts';
import { DiskCheck } from './diskCheck.ts';
import { byPlace } from './problemPlace.ts';

export interface Check {
  /** Null when the file itself has an error. */
  experiment: Experiment | null;
  /** By place. */
  problems: Problem[];
  positions: Positions;
}

/**
 * @param text what the editor holds; read from `file` when it is not given
 * @param machine what has to do for a run; its memory as it is by default
 * @throws LayerifError `badExperiment` when the file cannot be read
 */
export async function checkExperiment(
  file: string,
  text?: string,
  depth: 'quick' | 'full' = 'full',
  machine: Machine = { device: 'auto' },
): Promise<Check> {
  const absolute = path.resolve(file);
  const parsed = parseExperiment(text ?? readExperimentText(absolute), absolute);
  const { experiment, problems, positions } = parsed;
  const rest = experiment ? null : parsed.rest();
  const judged = experiment ?? rest?.experiment;
  if (!judged) return { experiment, problems, positions };
  const check = new DiskCheck(judged, absolute, positions, depth, machine);
  await check.all(experiment !== null);
  // Of what is not as written nothing more is said, and nothing that follows from it.
  const left = rest?.left ?? [];
  const found = check.problems.filter(({ path: where }) => !left.some((place) => isUnder(where, place)));
  return { experiment, problems: [...problems, ...found].sort(byPlace(absolute)), positions };
}
