/** A folder with an experiment, its data and scores of its rows: hand-written numbers, hostile texts among the rows. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { ScoredRows, ScoresFile, ScoreTable } from '../../protocol/scores.ts';
import type { FromWebview } from '../../protocol/webview.ts';
import { select, textsOfRows } from '../../server/src/lsp/selecting.ts';
import type { OpenPage } from './page.ts';
import { layerTable, scoresFile } from './scoreTables.ts';

/** Markup, a long line, letters that run from right to left, and a control for the direction of what follows. */
export const hostile = [
  '<img src=x onerror="document.title=1"><b>bold</b> &amp; {{x}}',
  'long '.repeat(3000),
  '\u05e9\u05dc\u05d5\u05dd \u0639\u0631\u0628\u064a (abc) 123',
  'before \u202egnol.exe after',
];

export interface ScoredFolder {
  folder: string;
  scoresFile: string;
  data: string;
  scores: ScoresFile;
  ifd: ScoreTable;
}

const sha256 = (file: string) => createHash('sha256').update(fs.readFileSync(file)).digest('hex');

/** Twenty rows of an experiment with scores that are easy to follow: row i has the score i / 10, row 19 is left out. */
export function writeScoredRows(folder: string): ScoredFolder {
  const data = path.join(folder, 'rows.jsonl');
  const count = 20;
  const lines = Array.from({ length: count }, (_, i) => ({
    text: hostile[i] ?? `Sentence number ${i} of ${i % 2 ? 'odd' : 'even'} ones`,
    label: i % 2 ? 'positive' : 'negative',
  }));
  fs.writeFileSync(data, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const experiment = path.join(folder, 'rows.layerif.yaml');
  fs.writeFileSync(
    experiment,
    `version: 1
model: { path: ./model }
datasets: { rows: { path: rows.jsonl } }
tasks:
  - task: sentiment
    dataset: rows
    training_split: train[:20]
    output_type: multiple_choice
    doc_to_text: "Sentence: {{text}}\\nSentiment:"
    doc_to_target: label
    doc_to_choice: [negative, positive]
data_scores: [ifd_ppl, length]
`,
  );
  const all = Array.from({ length: count }, (_, row) => row);
  const rows: ScoredRows = {
    dataset: 'rows',
    split: 'train[:20]',
    task: 'sentiment',
    files: ['rows.jsonl'],
    file: all.map(() => 0),
    row: all,
    line: all.map((row) => row + 1),
    sha256: { 'rows.jsonl': sha256(data) },
    tokenizer: null,
  };
  const shared = {
    ...layerTable,
    unit: '',
    question: 'trust_data',
    subject: 'sample',
    higherMeans: 'keep',
    options: {},
    axes: [{ name: 'row', labels: all }],
    intervals: undefined,
    reference: undefined,
    parts: {},
    marks: [],
    notes: [],
    rows,
  } as const;
  const ifd: ScoreTable = {
    ...(structuredClone(shared) as unknown as ScoreTable),
    score: 'ifd_ppl',
    title: 'Instruction-following difficulty',
    values: all.map((row) => row / 10),
    parts: { 'loss with prompt': all.map((row) => 1 + row / 10), 'loss alone': all.map((row) => 3 - row / 20) },
    marks: [{ at: [19], words: 'longer than model.max_length', drop: true }],
  };
  const length: ScoreTable = {
    ...(structuredClone(shared) as unknown as ScoreTable),
    score: 'length',
    title: 'Length of the answer',
    values: all.map((row) => (row % 5) + 1),
    marks: [],
  };
  const scores = { ...scoresFile([ifd, length]), experimentFile: experiment };
  const file = path.join(folder, 'rows.layerif-scores.json');
  fs.writeFileSync(file, JSON.stringify(scores));
  return { folder, scoresFile: file, data, scores, ifd };
}

const replied = new WeakMap<OpenPage, Set<string>>();

/** As the extension answers questions about rows, by the real program: until nothing was asked for a while. */
export async function answerRows(opened: OpenPage, resultFile: string): Promise<FromWebview[]> {
  const known = replied.get(opened) ?? new Set<string>();
  replied.set(opened, known);
  for (;;) {
    await opened.page.waitForTimeout(450);
    const sent = await opened.sent();
    let open = 0;
    for (const message of sent) {
      if (message.type !== 'rowTexts' && !(message.type === 'ask' && message.what === 'selectRows')) continue;
      const key = `${message.type} ${message.requestId}`;
      if (known.has(key)) continue;
      known.add(key);
      open++;
      const { requestId } = message;
      if (message.type === 'rowTexts') {
        const answer = await textsOfRows({ resultFile, by: message.by, rows: message.rows });
        await opened.post({ type: 'samples', requestId, answer });
      } else {
        const answer = await select({ resultFile, ...message.params });
        await opened.post({ type: 'answer', requestId, answer, failure: null });
      }
    }
    if (open === 0) return sent;
  }
}
