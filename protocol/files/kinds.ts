/**
 * Our files by kind: what they are called, which schema they follow, which command writes them. To add a kind, write
 * its schema and add a row here, with a golden file in `test/golden/files/`.
 */
import { ALLOCATION_SUFFIX } from '../allocation.ts';
import type { AllocationFile } from '../allocation.ts';
import { ANALYSIS_SUFFIX } from '../analysis.ts';
import type { Analysis } from '../analysis.ts';
import { EVALUATION_SUFFIX } from '../evaluation.ts';
import type { Evaluation } from '../evaluation.ts';
import { EXPERTS_SUFFIX } from '../experts.ts';
import type { ExpertsResult } from '../experts.ts';
import { COMPARISON_SUFFIX, PRUNING_REPORT } from '../pruning.ts';
import type { PruningComparison, PruningReport } from '../pruning.ts';
import { RESULT_SUFFIX } from '../result.ts';
import type { Result } from '../result.ts';
import { SCORES_SUFFIX } from '../scores.ts';
import type { ScoresFile } from '../scores.ts';
import { VALIDATION_SUFFIX } from '../validation.ts';
import type { ValidationResult } from '../validation.ts';
import { analysis } from './analysis.ts';
import { allocations } from './allocation.ts';
import { comparison, evaluation, experts, pruning, scores, validation } from './others.ts';
import type { Schema } from './parts.ts';
import { result } from './result.ts';

/** What a file of each kind holds. */
export interface FileContents {
  result: Result;
  scores: ScoresFile;
  validation: ValidationResult;
  comparison: PruningComparison;
  experts: ExpertsResult;
  allocation: AllocationFile;
  evaluation: Evaluation;
  pruning: PruningReport;
  analysis: Analysis;
}

export type FileKind = keyof FileContents;

export interface KindRow<T> {
  /** As the sentence says it: "the result FILE is damaged". */
  name: string;
  /** "FILE is no ..." */
  one: string;
  format: string;
  /** How its name ends. */
  suffix: string;
  /** What writes it. */
  command: string;
  schema: Schema<T>;
}

export const fileKinds: { readonly [K in FileKind]: KindRow<FileContents[K]> } = {
  result: {
    name: 'result',
    one: 'LayerIF result',
    format: 'layerif-result',
    suffix: RESULT_SUFFIX,
    command: 'layerif score',
    schema: result,
  },
  scores: {
    name: 'file of scores',
    one: 'LayerIF file of scores',
    format: 'layerif-scores',
    suffix: SCORES_SUFFIX,
    command: 'layerif score --only scores',
    schema: scores,
  },
  validation: {
    name: 'validation',
    one: 'LayerIF validation',
    format: 'layerif-validation',
    suffix: VALIDATION_SUFFIX,
    command: 'layerif validate',
    schema: validation,
  },
  comparison: {
    name: 'comparison',
    one: 'LayerIF comparison of prunings',
    format: 'layerif-pruning-comparison',
    suffix: COMPARISON_SUFFIX,
    command: 'layerif prune-and-compare',
    schema: comparison,
  },
  experts: {
    name: 'file of experts',
    one: 'LayerIF file of experts',
    format: 'layerif-experts',
    suffix: EXPERTS_SUFFIX,
    command: 'layerif train-experts',
    schema: experts,
  },
  allocation: {
    name: 'allocation',
    one: 'LayerIF file of allocations',
    format: 'layerif-allocations',
    suffix: ALLOCATION_SUFFIX,
    command: 'layerif allocate',
    schema: allocations,
  },
  evaluation: {
    name: 'evaluation',
    one: 'LayerIF evaluation',
    format: 'layerif-evaluation',
    suffix: EVALUATION_SUFFIX,
    command: 'layerif evaluate',
    schema: evaluation,
  },
  pruning: {
    name: 'report of a pruning',
    one: 'LayerIF report of a pruning',
    format: 'layerif-pruning',
    suffix: PRUNING_REPORT,
    command: 'layerif prune',
    schema: pruning,
  },
  analysis: {
    name: 'analysis',
    one: 'LayerIF analysis of a table',
    format: 'layerif-analysis',
    suffix: ANALYSIS_SUFFIX,
    command: 'layerif analyse',
    schema: analysis,
  },
};
