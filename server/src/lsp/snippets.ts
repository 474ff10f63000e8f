/**
 * Whole sections that completion offers beside single keys. A pattern is a path in the experiment, `*` stands for any
 * key or index. To add one, add a row; `test/lsp/snippets.test.ts` holds each to the schema.
 */
import { CompletionItemKind, InsertTextFormat } from 'vscode-languageserver/node';
import type { CompletionItem, TextEdit } from 'vscode-languageserver/node';
import type { Path } from '../config/experiment.ts';

export interface Snippet {
  pattern: string;
  /** A key that the section brings: it is offered where this is not there yet. */
  key: string;
  label: string;
  detail: string;
  body: string;
}

const task = `task: \${1:task}
dataset: \${2:data}
training_split: train[:80%]
validation_split: train[80%:]
doc_to_text: "{{\${3:text}}}"
doc_to_target: \${4:label}`;

const below = (text: string, indent: string) => text.replaceAll('\n', `\n${indent}`);

export const snippets: readonly Snippet[] = [
  {
    pattern: '',
    key: 'tasks',
    label: 'experiment',
    detail: 'model, dataset, task and score',
    body: `version: 1
model:
  path: \${5:model.gguf}
datasets:
  \${2:data}:
    path: \${6:data/train.jsonl}
tasks:
  - ${below(task, '    ')}
score:
  estimator: \${7:datainf}
`,
  },
  { pattern: 'tasks/*', key: 'task', label: 'whole task', detail: 'dataset, splits, text and answer', body: task },
  {
    pattern: 'datasets',
    key: '',
    label: 'dataset',
    detail: 'a name and its file',
    body: '${1:data}:\n  path: ${2:data/train.jsonl}',
  },
  {
    pattern: '',
    key: 'scores',
    label: 'scores of layers',
    detail: 'beside influence',
    body: 'scores: [${1:block_influence}, ${2:angular_distance}]',
  },
  {
    pattern: '',
    key: 'prune',
    label: 'pruning',
    detail: 'method, sparsity and calibration',
    body: `prune:
  method: \${1:wanda}
  sparsity: \${2:0.5}
  calibration:
    dataset: \${3:data}
    split: train[:128]`,
  },
];

/** @param siblings keys that are there already */
export function snippetItems(
  place: Path,
  siblings: readonly string[],
  edit: (text: string) => TextEdit,
): CompletionItem[] {
  return snippets
    .filter(({ pattern, key }) => fits(pattern, place) && !siblings.includes(key))
    .map(({ label, detail, body }, index) => ({
      label,
      detail,
      kind: CompletionItemKind.Snippet,
      insertTextFormat: InsertTextFormat.Snippet,
      textEdit: edit(body),
      // Behind the keys.
      sortText: `z${index}`,
    }));
}

function fits(pattern: string, place: Path): boolean {
  const parts = pattern === '' ? [] : pattern.split('/');
  return parts.length === place.length && parts.every((part, i) => part === '*' || part === String(place[i]));
}
