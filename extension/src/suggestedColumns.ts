/** Which columns of a data file are likely the text and the answer, best first. No `vscode` here. */
import type { DescribedColumn } from '../../protocol/dataDescription.ts';

const textNames = ['text', 'sentence', 'question', 'prompt', 'instruction', 'input', 'review', 'content', 'document'];
const answerNames = [
  'label',
  'labels',
  'answer',
  'target',
  'output',
  'completion',
  'response',
  'class',
  'category',
  'sentiment',
];

const place = (names: readonly string[], { name }: DescribedColumn) => {
  const at = names.indexOf(name.toLowerCase());
  return at < 0 ? names.length : at;
};

/** By name, then the longest first. */
export const textColumns = (columns: readonly DescribedColumn[]): DescribedColumn[] =>
  [...columns].sort((a, b) => place(textNames, a) - place(textNames, b) || b.length - a.length);

/** By name, then those with labels, then the shortest. */
export const answerColumns = (columns: readonly DescribedColumn[], text: string): DescribedColumn[] =>
  columns
    .filter(({ name }) => name !== text)
    .sort(
      (a, b) =>
        place(answerNames, a) - place(answerNames, b) ||
        Number(b.labels !== null) - Number(a.labels !== null) ||
        a.length - b.length,
    );
