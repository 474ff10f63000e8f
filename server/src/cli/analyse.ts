/** `layerif analyse TABLE.csv`: which differences in a table are real. */
import path from 'node:path';
import { projectionIds } from '../../../protocol/analysis.ts';
import type { AnalysisRequest, ProjectionId } from '../../../protocol/analysis.ts';
import { LayerifError } from '../../../protocol/errors.ts';
import { analyseTable, writeAnalysis } from '../run/analyse/analyse.ts';
import { readTableHeader } from '../run/analyse/readTable.ts';
import { analysisReport } from './analysisReport.ts';
import { readCount, readList, readNumber } from './lists.ts';
import type { OptionName } from './options.ts';
import { shortened } from './paths.ts';
import type { Command, Options } from './types.ts';

export const analyse: Command = {
  name: 'analyse',
  argument: 'TABLE.csv',
  summary: 'statistics of a table: groups, smooth mixed models, clusters, projections',
  details:
    'TABLE.csv (or .tsv) has a header and one row for each model or run, such as a leaderboard or what layerif table writes.\n' +
    'Groups: one-way ANOVA with eta squared, Levene, Tukey-Kramer; curves: penalised splines with a random effect (REML); rows: k-means with silhouettes, t-SNE, UMAP.\n' +
    'Names of several columns are separated by commas. Written to NAME.layerif-analysis.json beside the table.',
  options: [
    'response',
    'factor',
    'bins',
    'cluster-by',
    'smooth',
    'fixed',
    'by',
    'random',
    'log',
    'features',
    'clusters',
    'project',
    'perplexity',
    'neighbours',
    'seed',
    'output',
    'json',
  ],
  words: {
    factor: { value: 'NAMES', help: 'columns whose groups are compared (default: the first with few names)' },
    by: { value: 'NAME', help: 'a curve for each group of this column' },
    output: { value: 'DIR', help: 'folder of the written file (default: that of the table)' },
  },

  async run(argument, options, terminal) {
    const file = path.resolve(terminal.baseDir, argument);
    const analysis = await analyseTable(file, requestOf(options, await readTableHeader(file)));
    const { output } = options;
    const target = writeAnalysis(
      analysis,
      file,
      output === undefined ? undefined : path.resolve(terminal.baseDir, output),
    );
    terminal.out(
      options.json
        ? `${JSON.stringify(analysis)}\n`
        : analysisReport(analysis, shortened(target, terminal.baseDir), terminal.columns),
    );
    return 0;
  },
};

function requestOf({ values, all }: Options, header: readonly string[]): AnalysisRequest {
  /** A column's name may hold a comma. */
  const names = (name: OptionName) => all[name]?.flatMap((text) => (header.includes(text) ? [text] : readList(text)));
  const given: AnalysisRequest = {
    responses: names('response'),
    factors: names('factor'),
    bins: all.bins && Object.fromEntries(all.bins.map(readBins)),
    smooths: names('smooth'),
    fixed: names('fixed'),
    by: values.by,
    random: values.random,
    logs: names('log'),
    features: names('features'),
    clusters: values.clusters === undefined ? undefined : readCount('clusters', values.clusters, 2),
    projections: values.project === undefined ? undefined : readProjections(values.project),
    perplexity: readNumber('perplexity', values.perplexity),
    neighbours: values.neighbours === undefined ? undefined : readCount('neighbours', values.neighbours, 2),
    clusterBy: values['cluster-by'],
    seed: values.seed === undefined ? undefined : readCount('seed', values.seed, 0),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** "Params=1.5,3" -> the column and its edges. */
function readBins(text: string): [string, number[]] {
  const at = text.lastIndexOf('=');
  const edges = readList(text.slice(at + 1)).map(Number);
  if (at > 0 && edges.length > 0 && edges.every(Number.isFinite)) return [text.slice(0, at), edges];
  throw new LayerifError(
    'badRequest',
    `--bins "${text}" is not allowed: use NAME=EDGE,EDGE,... such as --bins Params=1.5,3,7,13`,
  );
}

function readProjections(text: string): ProjectionId[] {
  const asked = readList(text);
  const unknown = asked.find((id) => !(projectionIds as readonly string[]).includes(id));
  if (unknown === undefined && asked.length > 0) return asked as ProjectionId[];
  throw new LayerifError(
    'badRequest',
    `--project "${text}" is unknown: use ${projectionIds.join(', ')} or both with a comma`,
  );
}
