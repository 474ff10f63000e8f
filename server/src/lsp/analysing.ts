/** Statistics of a table for its page; nothing is written. */
import { LayerifError } from '../../../protocol/errors.ts';
import type {
  AnalyseAnswer,
  AnalyseParams,
  TableColumnsAnswer,
  TableColumnsParams,
} from '../../../protocol/analysis.ts';
import { analyseTable } from '../run/analyse/analyse.ts';
import { columnsOf, readTable } from '../run/analyse/readTable.ts';
import { answered } from './answered.ts';

export async function analyse({ path, ...request }: AnalyseParams): Promise<AnalyseAnswer> {
  return answered<Pick<AnalyseAnswer, 'analysis'>>({ analysis: null }, async () => {
    requirePath(path);
    return { analysis: await analyseTable(path, request) };
  });
}

export async function tableColumns({ path }: TableColumnsParams): Promise<TableColumnsAnswer> {
  return answered<Pick<TableColumnsAnswer, 'columns'>>({ columns: null }, async () => {
    requirePath(path);
    return { columns: columnsOf(await readTable(path)) };
  });
}

/** The extension adds it to what a page asks. */
function requirePath(path: unknown): void {
  if (typeof path !== 'string' || path === '')
    throw new LayerifError('badRequest', 'statistics need the path of a table');
}
