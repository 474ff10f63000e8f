/**
 * `layerif rows RESULT`: the most harmful or most helpful training samples, as a table, CSV, Markdown or JSON, and a
 * dataset without them.
 */
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import { layerRules, rowOrders } from '../../../protocol/rows.ts';
import type { ListedRow, RowList } from '../../../protocol/rows.ts';
import { listRows, writeWithout } from '../run/influence/rows.ts';
import { csvText, markdownText } from '../text/table.ts';
import { unknown } from './arguments.ts';
import { count, counted, noteLine, score, table } from './format.ts';
import { withText } from './highlights.ts';
import { readCount } from './lists.ts';
import { shortened } from './paths.ts';
import type { Command, Options, Page } from './types.ts';
import { nth } from '../lists/nth.ts';

const TOP = 10;

export const rows: Command = {
  name: 'rows',
  argument: 'RESULT',
  summary: 'list the training samples that harm or help validation most, and write a dataset without their rows',
  details:
    'RESULT is a complete *.layerif-result.json. Without --layer, samples are ordered over all layers. Nothing runs on the model. ' +
    'The terminal shows the beginning of each text; --text gives whole texts in every form.',
  options: ['task', 'layer', 'by', 'over', 'top', 'text', 'csv', 'markdown', 'json', 'without'],
  words: {
    task: { help: 'the task (default: the only one)' },
    by: { value: 'WORD', help: `${rowOrders.join(' | ')}: what comes first (default harmful)` },
    text: { help: 'whole texts, prompt and answer' },
  },
  oneTask: true,

  async run(argument, options, terminal) {
    const file = path.resolve(terminal.baseDir, argument);
    const { values, flags } = options;
    const form = formOf(options);
    if (values.over === 'vote' && values.by === 'helpful')
      throw new LayerifError(
        'badRequest',
        '--over vote counts votes against the least helpful rows, so it does not order the others: use rank or mean with --by helpful',
      );
    const list = await listRows(file, {
      task: options.task.at(-1),
      layer: values.layer === undefined ? undefined : readCount('layer', values.layer, 0),
      by: word('by', values.by, rowOrders),
      over: word('over', values.over, layerRules),
      top: values.top === undefined ? TOP : readCount('top', values.top),
      texts: flags.has('text') || form === 'table',
    });
    if (values.without !== undefined && list.by !== 'harmful')
      throw new LayerifError('badRequest', '--without leaves out harmful rows: it goes with --by harmful');
    terminal.out(
      forms[form](list, { width: flags.has('text') ? Infinity : terminal.columns, baseDir: terminal.baseDir }),
    );
    if (form !== 'table') for (const note of list.notes) terminal.err(`${noteLine(note)}\n`);
    if (values.without !== undefined) {
      const without = path.resolve(terminal.baseDir, values.without);
      const { rows: written } = await writeWithout({
        resultFile: file,
        task: list.task,
        samples: list.rows.map(({ sample }) => sample),
        file: without,
      });
      terminal.err(
        `Written ${count(written)} of ${counted(list.of, 'training sample')} to ${shortened(without, terminal.baseDir)}, without these ${list.rows.length}.\n`,
      );
    }
    return 0;
  },
};

type Form = 'table' | 'csv' | 'markdown' | 'json';

const forms: Record<Form, (list: RowList, page: Page) => string> = {
  table: rowsReport,
  csv: (list) => csvText(cells(list)),
  markdown: (list) => markdownText(cells(list)),
  json: (list) => `${JSON.stringify(list)}\n`,
};

function formOf({ flags, json }: Options): Form {
  const asked: Form[] = [
    ...(json ? (['json'] as const) : []),
    ...(['csv', 'markdown'] as const).filter((name) => flags.has(name)),
  ];
  if (asked.length > 1)
    throw new LayerifError('badRequest', `one form at a time, not ${asked.map((name) => `--${name}`).join(' and ')}`);
  return asked[0] ?? 'table';
}

function word<W extends string>(name: string, text: string | undefined, known: readonly W[]): W | undefined {
  if (text === undefined || (known as readonly string[]).includes(text)) return text as W | undefined;
  throw unknown(`word for --${name}`, text, known);
}

function cells(list: RowList): string[][] {
  const withTexts = list.rows.some(({ text }) => text !== null);
  const head = ['place', 'sample', 'file', 'row', 'line', 'value', 'influence', 'helps', 'harms', 'loss', 'tokens'];
  return [
    [...head, ...(withTexts ? ['text'] : [])],
    ...list.rows.map((row, i) => [
      String(i + 1),
      String(row.sample),
      row.file,
      String(row.row),
      row.line === null ? '' : String(row.line),
      String(row.value),
      String(row.influence),
      String(row.helps),
      String(row.harms),
      String(row.loss),
      String(row.tokens),
      ...(withTexts ? [row.text ?? ''] : []),
    ]),
  ];
}

const orderWords: Readonly<Record<RowList['by'], string>> = {
  harmful: 'most harmful',
  helpful: 'most helpful',
  loss: 'highest loss',
};

const valueWords = { rank: 'mean rank', mean: 'mean', vote: 'votes' } as const;

export function rowsReport(list: RowList, page: Page): string {
  const { by, over, layers, of } = list;
  const where = layers.length === 1 ? `layer ${layers[0]}` : counted(layers.length, 'layer');
  const how = by === 'loss' || over === null ? '' : ` by ${valueWords[over]}`;
  const valued = over !== null && over !== 'mean' ? [valueWords[over]] : [];
  const place = ({ file, line, row }: ListedRow) => (line === null ? `${file} row ${row}` : `${file}:${line}`);
  const shown = list.rows.map((row) => [
    ...(valued.length === 0 ? [] : [over === 'vote' ? count(0 - row.value) : row.value.toFixed(1)]),
    score(row.influence),
    ...(layers.length > 1 ? [`${row.harms} of ${layers.length}`] : []),
    row.loss.toFixed(3),
    place(row),
  ]);
  const head = [...valued, 'influence', ...(layers.length > 1 ? ['harms in'] : []), 'loss', 'row'];
  const lines = table(
    [head, ...shown],
    head.slice(0, -1).map((_, i) => i),
  );
  return [
    `${list.task}: ${orderWords[by]} of ${counted(of, 'training sample')} over ${where}${how}`,
    '',
    ...lines.map((line, i) =>
      withText(line, i === 0 ? undefined : (nth(list.rows, i - 1).text ?? undefined), page.width),
    ),
    '',
    ...(over === 'rank' ? [`Mean rank: 1 is the least influence in every layer, ${of} the most.`] : []),
    `Influence: sum over ${layers.length === 1 ? 'the layer' : 'the layers'}; positive = helps validation, negative = harms it.`,
    ...list.notes.map(noteLine),
    '',
  ].join('\n');
}
