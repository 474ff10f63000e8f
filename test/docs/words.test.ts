/**
 * The words that users read: British spelling, and one word for one thing. A dataset has rows; each row of a slice
 * becomes a sample, a training or a validation sample; `evaluate` counts documents, as lm-evaluation-harness does;
 * texts have no answer.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { folders, root, sourceFiles } from '../architecture/sources.ts';

const american = [
  /\b(behavior|neighbor|favor|honor|labor|flavor)(s|ed|ing|able|ite)?\b/i,
  /\bcolor(s|ed|ing)?\b/i,
  /\bgray(s|ed)?\b/i,
  /\bcenter(s|ed|ing)?\b/i,
  /\b(labeled|labeling|canceled|canceling|modeled|modeling|traveled|signaled)\b/i,
  /\b(normal|token|quant|dequant|optim|organ|summar|initial|recogn|regular|visual|serial|general|minim|maxim|categor|util|synchron|memor|prior)iz(e[ds]?|ing|ation|ations)\b/i,
  /\banalyz(e[ds]?|ing)\b/i,
  /\b(catalog|artifact|fulfill|judgment|acknowledgment)s?\b/i,
];

const otherWords: [banned: RegExp, instead: string][] = [
  [
    /\b(training|validation|train|evaluated) (row|example|document|instance|data ?point)s?\b/i,
    'training and validation samples',
  ],
  [/\btrain samples?\b/i, 'training sample'],
  [/\b(eval|evaluated|evaluation) samples?\b/i, 'documents (of evaluate), validation samples (of score)'],
  [/\b(is|are|be) safe\b(?! to)/i, 'what it does not depend on'],
];

/** Names and quotations in which a word stands as it is. */
const names = [
  /llama-quantize/g,
  /\bdequantize(?=[=(])/g,
  /GitHub Flavored/g,
  /the behavior "/g, // of tokenizer.json
  /color-mix\(/g, // of CSS
];

function offences(text: string): string[] {
  // Code and addresses have the words of their authors.
  const prose = names
    .reduce((rest, name) => rest.replaceAll(name, ''), text)
    .replaceAll(/```[\s\S]*?```|`[^`\n]*`|\]\([^)]*\)|https?:\S+/g, ' ');
  return [
    ...american.flatMap((pattern) => (pattern.exec(prose) ? [`American spelling "${pattern.exec(prose)![0]}"`] : [])),
    ...otherWords.flatMap(([banned, instead]) => {
      const found = banned.exec(prose);
      return found ? [`"${found[0]}": say ${instead}`] : [];
    }),
  ];
}

/**
 * Sentences in a source file: strings, parts of templates and JSX text that hold a space; whole templates, so that code
 * spans close.
 */
function sentencesOf(file: string, source: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isTemplateExpression(node)) found.push(node.getText().slice(1, -1).replaceAll('\\`', '`'));
    else if (ts.isStringLiteralLike(node) || ts.isJsxText(node)) found.push(node.text);
    if (!ts.isImportDeclaration(node)) ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true));
  return found.filter((text) => /\S\s+\S/.test(text));
}

test('offences are seen, code spans and names are not', () => {
  assert.deepEqual(offences('The color of `color` in normalized rows'), [
    'American spelling "color"',
    'American spelling "normalized"',
  ]);
  assert.deepEqual(offences('three training rows'), ['"training rows": say training and validation samples']);
  assert.deepEqual(offences('the rows of a dataset become training samples; the licence is MIT'), []);
  assert.deepEqual(offences('the top third is safe'), ['"is safe": say what it does not depend on']);
});

test('documents say it in British spelling, and one thing by one word', () => {
  const pages = ['README.md', 'SECURITY.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', 'examples/README.md'].concat(
    readdirSync(join(root, 'docs'), { encoding: 'utf8' }).flatMap((name) =>
      name.endsWith('.md') ? [`docs/${name}`] : [],
    ),
  );
  assert.deepEqual(
    pages.flatMap((page) => {
      const code = readFileSync(join(root, page), 'utf8').replaceAll(/```[\s\S]*?```/g, '');
      return code
        .split('\n')
        .flatMap((line) => offences(line).map((what) => `${page}: ${what}: ${line.trim().slice(0, 120)}`));
    }),
    [],
  );
});

test('sentences of the program do too', () => {
  const quick = [...american, ...otherWords.map(([banned]) => banned)];
  const files = sourceFiles(folders);
  assert.ok(files.length > 300);
  const found = files.flatMap((file) => {
    const source = readFileSync(join(root, file), 'utf8');
    if (!quick.some((pattern) => pattern.test(source))) return [];
    return sentencesOf(file, source).flatMap((text) =>
      offences(text).map((what) => `${file}: ${what}: ${text.trim().slice(0, 120)}`),
    );
  });
  assert.deepEqual(found, []);
});

test('what VS Code shows of the extension does too', () => {
  const strings = (value: unknown): string[] =>
    typeof value === 'string'
      ? [value]
      : typeof value === 'object' && value !== null
        ? Object.values(value).flatMap(strings)
        : [];
  const { contributes } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { contributes: unknown };
  const titles = [contributes, JSON.parse(readFileSync(join(root, 'package.nls.json'), 'utf8'))].flatMap(strings);
  assert.deepEqual(
    titles.filter((text) => /\s/.test(text)).flatMap((text) => offences(text).map((what) => `${what}: ${text}`)),
    [],
  );
});
