/** The editor's question what a data file holds, while an experiment about it is being written. */
import { LayerifError } from '../../../protocol/errors.ts';
import type { DescribeDataAnswer, DescribeDataParams } from '../../../protocol/lsp.ts';
import { describeData } from '../run/inputs/describeData.ts';
import { answered } from './answered.ts';

export function describe({ path }: DescribeDataParams): Promise<DescribeDataAnswer> {
  return answered<Pick<DescribeDataAnswer, 'data'>>({ data: null }, async () => {
    if (typeof path !== 'string' || path === '')
      throw new LayerifError('badRequest', 'describing needs the path of a data file');
    return { data: await describeData(path) };
  });
}
