/** Names, outline, links and quick fixes of an experiment file: what each gives for a place in the text. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { DocumentSymbol, Position, TextEdit } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { parseExperiment } from '../../server/src/config/experiment.ts';
import type { OpenExperiment } from '../../server/src/lsp/documents.ts';
import { definitionAt, namesIn, referencesAt, renameAt, renameRangeAt } from '../../server/src/lsp/names.ts';
import { linksOf, symbolsOf } from '../../server/src/lsp/outlineSymbols.ts';
import { quickFixes } from '../../server/src/lsp/quickFixes.ts';
import { checkExperiment } from '../../server/src/run/check/check.ts';
import { writeTinyWorkspace } from '../tinyLlama.ts';

const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-navigation-')));
const file = path.join(folder, 'names.layerif.yaml');
const uri = pathToFileURL(file).href;
before(() => {
  writeTinyWorkspace(folder);
  fs.writeFileSync(
    path.join(folder, 'data', 'parts.csv'),
    'review,sentiment,split\na,positive,train\nb,negative,train\nc,positive,test\n',
  );
});
after(() => fs.rmSync(folder, { recursive: true }));

const text = `version: 1
model: { path: ./model }
datasets:
  reviews:
    path: data/reviews.jsonl
  capitals: { path: data/capitals.jsonl }
tasks:
  - task: sentiment
    dataset: "reviews"
    doc_to_text: review
    doc_to_target: sentiment
    training_split: train[:8]
  - task: capital
    dataset: capitals
    doc_to_text: country
    doc_to_target: capital
    training_split: train[:8]
evaluate:
  tasks: [capital, sentiment]
prune:
  calibration: { dataset: reviews, split: train }
scores:
  - avss: { texts: { dataset: capitals, split: train } }
`;

function open(content: string): OpenExperiment {
  const document = TextDocument.create(uri, 'yaml', 1, content);
  const parsed = parseExperiment(content, file);
  return { ...parsed, uri, file, baseDir: folder, document, lastRaw: parsed.raw };
}
/** The place of the n-th `word`, one letter in. */
function at(word: string, nth = 0, content = text): Position {
  let offset = -1;
  for (let i = 0; i <= nth; i++) offset = content.indexOf(word, offset + 1);
  return TextDocument.create(uri, 'yaml', 1, content).positionAt(offset + 1);
}
const applied = (content: string, edits: TextEdit[]) =>
  TextDocument.applyEdits(TextDocument.create(uri, 'yaml', 1, content), edits);

test('the example is right as far as its text goes', () => {
  assert.deepEqual(
    open(text).problems.map(({ message }) => message),
    [],
  );
});

test('a dataset leads to its key, from a task, from calibration texts and from the texts of a score', () => {
  const experiment = open(text);
  for (const nth of [2, 3])
    assert.deepEqual(definitionAt(experiment, at('reviews', nth))[0].range.start, { line: 3, character: 2 });
  assert.deepEqual(definitionAt(experiment, at('capitals', 3))[0].range.start, { line: 5, character: 2 });
  assert.deepEqual(definitionAt(experiment, at('doc_to_text')), []);
});

test('references of a task: where it is named, with or without its own line', () => {
  const experiment = open(text);
  const lines = (own: boolean) => referencesAt(experiment, at('sentiment'), own).map(({ range }) => range.start.line);
  assert.deepEqual(lines(true), [7, 18]);
  assert.deepEqual(lines(false), [18]);
});

test('the task of a score is a reference too', () => {
  const content = `${text}  - spider: { task: sentiment }\n`;
  const lines = referencesAt(open(content), at('sentiment', 0, content), false).map(({ range }) => range.start.line);
  assert.deepEqual(lines, [18, 23]);
});

test('renaming changes every place and nothing else, inside quotes too', () => {
  const edits = renameAt(open(text), at('reviews'), 'films')!.changes![uri];
  const renamed = applied(text, edits);
  assert.equal(
    renamed,
    text
      .replace('  reviews:', '  films:')
      .replace('"reviews"', '"films"')
      .replace('dataset: reviews,', 'dataset: films,'),
  );
  assert.deepEqual(open(renamed).problems, []);
  assert.deepEqual(renameRangeAt(open(text), at('"reviews"')), {
    start: { line: 8, character: 14 },
    end: { line: 8, character: 21 },
  });
});

test('a name that cannot be, or is taken, is refused in words', () => {
  const experiment = open(text);
  assert.throws(() => renameAt(experiment, at('reviews'), 'capitals'), /there is a dataset "capitals" already/);
  assert.throws(() => renameAt(experiment, at('reviews'), 'a: b'), /"a: b" is no name for a dataset/);
  assert.throws(() => renameAt(experiment, at('sentiment'), 'true'), /no name for a task/);
  assert.equal(renameAt(experiment, at('doc_to_text'), 'x'), null);
});

test('names of an included file are not of this one', () => {
  fs.writeFileSync(
    path.join(folder, 'quiz.yaml'),
    'task: quiz\ndataset: capitals\ndoc_to_text: country\ndoc_to_target: capital\n',
  );
  const content = `version: 1\nmodel: { path: ./model }\ndatasets: { capitals: { path: data/capitals.jsonl } }\ntasks:\n  - include: quiz.yaml\n`;
  assert.deepEqual(
    namesIn(open(content)).map(({ kind, name }) => [kind, name]),
    [['dataset', 'capitals']],
  );
  const links = linksOf(open(content)).map(({ target }) => path.basename(target!));
  assert.deepEqual(links, ['capitals.jsonl', 'quiz.yaml']);
});

test('outline: sections, below them datasets and tasks; each reaches to the next, so that the breadcrumb knows where the cursor is', () => {
  const symbols = symbolsOf(open(text));
  const shown = (list: DocumentSymbol[]): unknown[] =>
    list.map(({ name, detail, range, children }) => [
      name,
      detail,
      range.start.line,
      range.end.line,
      ...shown(children!),
    ]);
  assert.deepEqual(shown(symbols), [
    ['version', '1', 0, 1],
    ['model', '', 1, 2],
    ['datasets', '', 2, 6, ['reviews', '', 3, 5], ['capitals', '', 5, 6]],
    ['tasks', '', 6, 17, ['sentiment', 'reviews', 7, 12], ['capital', 'capitals', 12, 17]],
    ['evaluate', '', 17, 19],
    ['prune', '', 19, 21],
    ['scores', '', 21, 23],
  ]);
});

test('files are links; folders are not', () => {
  assert.deepEqual(
    linksOf(open(text)).map(({ range, target }) => [range.start.line, path.basename(target!)]),
    [
      [4, 'reviews.jsonl'],
      [5, 'capitals.jsonl'],
    ],
  );
});

const broken: [string, (content: string) => string][] = [
  ['a wrong key', (content) => content.replace('    doc_to_text: review', '    doc_to_txt: review')],
  ['a wrong file', (content) => content.replace('data/reviews.jsonl', 'data/review.jsonl')],
  ['a wrong folder of the model', (content) => content.replace('./model', './modle')],
  ['a wrong dataset', (content) => content.replace('dataset: capitals\n', 'dataset: capitls\n')],
  ['a wrong column in a template', (content) => content.replace('doc_to_text: review', 'doc_to_text: "It: {{reviw}}"')],
];
for (const [what, damage] of broken)
  test(`quick fix for ${what}: the file is right again`, async () => {
    const content = damage(text);
    const { problems } = await checkExperiment(file, content, 'quick');
    assert.ok(problems.length > 0);
    const { document } = open(content);
    const actions = quickFixes(
      document,
      problems.map(({ message, line, column, endLine, endColumn }) => ({
        message,
        source: 'layerif',
        range: {
          start: { line: line - 1, character: column - 1 },
          end: { line: endLine - 1, character: endColumn - 1 },
        },
      })),
    );
    assert.ok(actions.length > 0, problems.map(({ message }) => message).join('\n'));
    const mended = applied(content, actions[0].edit!.changes![uri]);
    assert.equal(
      mended,
      what.includes('template') ? text.replace('doc_to_text: review', 'doc_to_text: "It: {{review}}"') : text,
    );
  });

test('quick fixes for rows that are not there and for a column of splits', async () => {
  const content = text
    .replace('data/reviews.jsonl', 'data/parts.csv')
    .replace('training_split: train[:8]', 'training_split: train[:20]\n    validation_split: train[2:3]');
  const { problems } = await checkExperiment(file, content, 'quick');
  const diagnostics = problems.map(({ message, line, column, endLine, endColumn }) => ({
    message,
    source: 'layerif',
    range: { start: { line: line - 1, character: column - 1 }, end: { line: endLine - 1, character: endColumn - 1 } },
  }));
  const actions = quickFixes(open(content).document, diagnostics);
  assert.deepEqual(
    actions.map(({ title }) => title),
    ['Add split_column: split', 'Take the rows that are there: train[:3]'],
  );
  const mended = applied(
    content,
    actions.flatMap(({ edit }) => edit!.changes![uri]),
  );
  assert.match(mended, /\n {4}path: data\/parts\.csv\n {4}split_column: split\n/);
  assert.match(mended, /training_split: train\[:3\]/);
  assert.deepEqual(quickFixes(open(content).document, [{ ...diagnostics[0], source: 'yaml' }]), []);
});

test('quick fixes for a split without rows and for a column that is like none', async () => {
  const content = text
    .replace('training_split: train[:8]', 'training_split: train[300:]\n    validation_split: train[400:450]')
    .replace('doc_to_text: review', 'doc_to_text: "{{zzz}}"');
  const { problems } = await checkExperiment(file, content, 'quick');
  const actions = quickFixes(
    open(content).document,
    problems.map(({ message, line, column, endLine, endColumn }) => ({
      message,
      source: 'layerif',
      range: { start: { line: line - 1, character: column - 1 }, end: { line: endLine - 1, character: endColumn - 1 } },
    })),
  );
  const titles = actions.map(({ title }) => title);
  assert.deepEqual(
    titles.filter((title) => title.startsWith('Take rows')),
    ['Take rows that are there: train[:10]', 'Take rows that are there: train[10:]'],
  );
  assert.deepEqual(
    titles.filter((title) => title.startsWith('Use the column')),
    ['Use the column "review"', 'Use the column "sentiment"'],
  );
  const use = actions.find(({ title }) => title.includes('"review"'))!;
  assert.match(applied(content, use.edit!.changes![uri]), /doc_to_text: "\{\{review\}\}"/);
});
