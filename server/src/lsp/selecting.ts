/** Requests of the editor about rows: their texts, and datasets of some of them; written only when asked for. */
import type { SampleTextAnswer } from '../../../protocol/lsp.ts';
import type {
  LinesWithoutParams,
  RowMarksAnswer,
  RowMarksParams,
  RowTextParams,
  RowTokensAnswer,
  RowTokensParams,
  RowsWithoutParams,
  SelectRowsAnswer,
  SelectRowsParams,
  TokenInfluenceAnswer,
  TokenInfluenceParams,
  WrittenRowsAnswer,
} from '../../../protocol/rowRequests.ts';
import { rowTexts } from '../run/decide/rowTexts.ts';
import { rowTokens } from '../run/decide/rowTokens.ts';
import { selectRows } from '../run/decide/selectRows.ts';
import { rowMarks } from '../run/influence/rowMarks.ts';
import { requireNew } from '../run/inputs/dataRows.ts';
import { linesWithout } from '../run/inputs/linesWithout.ts';
import { keptTokenInfluence } from '../run/influence/tokenFiles.ts';
import { writeWithout } from '../run/influence/rows.ts';
import { scoresFileOf } from '../run/scores/scoresFile.ts';
import { answered } from './answered.ts';

export async function select({ resultFile, output, ...options }: SelectRowsParams): Promise<SelectRowsAnswer> {
  return answered<Pick<SelectRowsAnswer, 'selected'>>({ selected: null }, async () => {
    if (output !== undefined) requireNew(output, output);
    const file = scoresFileOf(resultFile);
    return { selected: await selectRows({ ...options, file, output, dry: output === undefined }) };
  });
}

export async function without({ resultFile, task, samples, output }: RowsWithoutParams): Promise<WrittenRowsAnswer> {
  return answered<Pick<WrittenRowsAnswer, 'written'>>({ written: null }, async () => {
    if (output !== undefined) requireNew(output, output);
    return { written: await writeWithout({ resultFile, task, samples, file: output }, output === undefined) };
  });
}

export async function textsOfRows({ resultFile, by, rows }: RowTextParams): Promise<SampleTextAnswer> {
  return { samples: await rowTexts(scoresFileOf(resultFile), by, rows) };
}

export async function tokensOfRow({ resultFile, by, row }: RowTokensParams): Promise<RowTokensAnswer> {
  return answered<Pick<RowTokensAnswer, 'tokens'>>({ tokens: null }, async () => ({
    tokens: await rowTokens(scoresFileOf(resultFile), by, row),
  }));
}

export async function influenceOfTokens(params: TokenInfluenceParams): Promise<TokenInfluenceAnswer> {
  const { resultFile, task, validation } = params;
  return answered<Pick<TokenInfluenceAnswer, 'influence'>>({ influence: null }, () =>
    Promise.resolve({ influence: keptTokenInfluence(resultFile, task, validation) }),
  );
}

export async function marksOfRows({ file, runs }: RowMarksParams): Promise<RowMarksAnswer> {
  return { marks: await rowMarks(file, runs) };
}

export async function withoutLines(params: LinesWithoutParams): Promise<WrittenRowsAnswer> {
  return answered<Pick<WrittenRowsAnswer, 'written'>>({ written: null }, async () => ({
    written: await linesWithout(params),
  }));
}
