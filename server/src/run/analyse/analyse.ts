/** `layerif analyse`: which differences in a table are real. Reads a table, chooses columns where none are named. */
import path from 'node:path';
import { ANALYSIS_SUFFIX } from '../../../../protocol/analysis.ts';
import type { Analysis, AnalysisRequest, TableColumn } from '../../../../protocol/analysis.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import { makeFolder } from '../../files/writing.ts';
import { relativeTo } from '../files/paths.ts';
import { dataHashes, written } from '../files/provenance.ts';
import { writeJson } from '../files/results.ts';
import { compareGroups } from './compareGroups.ts';
import { clustersOf, projected, standardised } from './projectRows.ts';
import { columnsOf, comparedLevelsOf, levelsOf, numbersOf, readTable, requireColumn } from './readTable.ts';
import type { Table } from './readTable.ts';
import { smoothModelOf } from './smoothModels.ts';

/** A column of names with more levels is no factor by itself. */
const MOST_DEFAULT_LEVELS = 12;

/** The bootstrap draws among clusters: with fewer there is too little to draw from (Cameron, Gelbach & Miller 2008). */
const FEW_CLUSTERS = 20;

/** @throws LayerifError `badData` for what the table holds, `badRequest` for what is asked of it */
export async function analyseTable(file: string, asked: AnalysisRequest = {}): Promise<Analysis> {
  const started = performance.now();
  const table = await readTable(file);
  const columns = columnsOf(table);
  const { request, notes } = chosen(asked, columns, table);
  const { seed = 0, logs = [] } = request;
  const dependent =
    request.clusterBy === undefined ? null : levelsOf(table, request.clusterBy, 'rows that belong together');

  const comparisons = (request.responses ?? []).flatMap((name) =>
    (request.factors ?? []).map((factor) =>
      compareGroups(
        { name, values: numbersOf(table, name, 'response') },
        comparedLevelsOf(table, factor, 'factor', request.bins?.[factor]),
        dependent,
        seed,
        file,
      ),
    ),
  );
  const smooth = (name: string, role: string) => ({ name, values: numbersOf(table, name, role, logs.includes(name)) });
  const wantsModel =
    [request.smooths, request.fixed].some((list) => (list ?? []).length > 0) || request.random !== undefined;
  const models = wantsModel
    ? (request.responses ?? []).map((response) =>
        smoothModelOf(
          {
            response: smooth(response, 'response'),
            smooths: (request.smooths ?? []).filter((name) => name !== response).map((name) => smooth(name, 'curve')),
            fixed: (request.fixed ?? []).map((name) =>
              comparedLevelsOf(table, name, 'fixed factor', request.bins?.[name]),
            ),
            by:
              request.by === undefined
                ? null
                : comparedLevelsOf(table, request.by, 'curves by level', request.bins?.[request.by]),
            random:
              request.random === undefined
                ? null
                : levelsOf(table, request.random, 'random effect', request.bins?.[request.random]),
            logs: logs.filter((name) => name === response || request.smooths?.includes(name)),
          },
          file,
        ),
      )
    : [];
  const features = (request.features ?? []).map((name) => ({ name, values: numbersOf(table, name, 'feature') }));
  const points = features.length > 0 ? standardised(features, file) : null;
  const [sha256 = ''] = Object.values(await dataHashes([file], path.dirname(file)));
  return {
    format: 'layerif-analysis',
    version: 1,
    table: { file: path.basename(file), sha256, rows: table.rows.length, columns },
    request,
    comparisons,
    models,
    clusters: points && clustersOf(points, request.clusters ?? null, seed),
    projections: points
      ? (request.projections ?? []).map((method) =>
          projected(points, method, (method === 'tsne' ? request.perplexity : request.neighbours) ?? null, seed),
        )
      : [],
    notes: [
      ...notes,
      dependent
        ? `Intervals of the cluster bootstrap draw the ${dependent.names.length} groups of rows with one "${dependent.name}" as a whole; F, its p and Tukey-Kramer take all rows for independent.${dependent.names.length < FEW_CLUSTERS ? ` ${dependent.names.length} such groups are few: below about ${FEW_CLUSTERS} the bootstrap's intervals come out too narrow.` : ''}`
        : 'All rows are taken for independent. Fine-tunes of one base model, and runs that share data or seed, are not: their p values are too small. Name the column that they share with --cluster-by for the cluster bootstrap.',
    ],
    provenance: { ...written(), seconds: (performance.now() - started) / 1000, seed },
  };
}

/** Fills in what is not asked for, and says so. */
function chosen(
  asked: AnalysisRequest,
  columns: readonly TableColumn[],
  table: Table,
): { request: AnalysisRequest; notes: string[] } {
  for (const [name, edges] of Object.entries(asked.bins ?? {}))
    if (
      edges.length === 0 ||
      edges.some((edge, i) => !Number.isFinite(edge) || (i > 0 && edge <= (edges[i - 1] ?? -Infinity)))
    )
      throw new LayerifError(
        'badRequest',
        `bins of "${name}": ${edges.join(', ')} are no edges; use numbers that rise, such as 1.5,3,7`,
      );
  if (asked.by !== undefined && !asked.smooths?.length)
    throw new LayerifError(
      'badRequest',
      `a curve for each level of "${asked.by}" needs a curve: name its column with --smooth`,
    );
  for (const name of asked.logs ?? []) requireColumn(table, name, 'logarithms');
  for (const name of asked.responses ?? []) numbersOf(table, name, 'response');
  const numeric = columns.filter(({ kind, distinct }) => kind === 'numbers' && distinct > 1).map(({ name }) => name);
  const wordy = columns
    .filter(({ kind, distinct }) => kind === 'names' && distinct > 1 && distinct <= MOST_DEFAULT_LEVELS)
    .map(({ name }) => name);
  const request = { ...asked };
  const notes: string[] = [];
  if (!asked.features && ((asked.projections ?? []).length > 0 || asked.clusters !== undefined)) {
    request.features = numeric;
    notes.push(`Chosen by itself: features ${numeric.join(', ')}.`);
  }
  if (!asked.responses) {
    const [response] = numeric.filter((name) => !asked.smooths?.includes(name) && !asked.factors?.includes(name));
    if (response === undefined)
      throw new LayerifError(
        'badData',
        'no column holds numbers that differ: name the one to explain with --response (a cell that is no number is then named)',
        { place: { file: table.file } },
      );
    request.responses = [response];
    notes.push(`Chosen by itself: response "${response}". Others: --response (${numeric.join(', ')}).`);
  }
  const explained = [asked.factors, asked.smooths, asked.fixed, request.features].some(
    (list) => (list ?? []).length > 0,
  );
  if (!explained && asked.random === undefined) {
    const [factor] = wordy;
    if (factor === undefined)
      throw new LayerifError(
        'badRequest',
        `nothing to explain "${request.responses?.join(', ')}" by: no column has 2 to ${MOST_DEFAULT_LEVELS} names; name one with --factor (with --bins for numbers), --smooth, --random or --features`,
      );
    request.factors = [factor];
    notes.push(`Chosen by itself: factor "${factor}". Others: --factor (${wordy.join(', ')}).`);
  }
  return { request, notes };
}

/** Beside the table, or in `folder`. @throws LayerifError `cannotWrite` */
export function writeAnalysis(analysis: Analysis, tableFile: string, folder?: string): string {
  const name = path.basename(tableFile).replace(/\.(csv|tsv)$/i, '');
  const target = path.join(folder ?? path.dirname(tableFile), `${name}${ANALYSIS_SUFFIX}`);
  makeFolder(path.dirname(target));
  writeJson(target, { ...analysis, table: { ...analysis.table, file: relativeTo(path.dirname(target), tableFile) } });
  return target;
}
