/** Scores and the allocation as a table: CSV (RFC 4180) for programs, Markdown for people. */
import { csvText } from '../text/table.ts';
import type { ExportInput, ExportTarget } from './types.ts';
import { nth } from '../lists/nth.ts';

const kinds = ['experts', 'rank', 'freeze', 'tune', 'drop', 'sparsity'] as const;

export const csv: ExportTarget = {
  id: 'csv',
  title: 'one line per layer',
  source: 'RFC 4180',
  kinds,
  ending: '.csv',
  make: (input) => csvText(rows(input)),
};

export const markdown: ExportTarget = {
  id: 'markdown',
  title: 'table with the explanation of every layer',
  source: 'GitHub Flavored Markdown',
  kinds,
  ending: '.md',

  make(input) {
    const { kind, ruleTitle, notes, provenance, settings, quantity } = input.allocation!;
    const tasks = `${provenance.tasks.length > 1 ? 'mean of tasks' : 'task'} ${provenance.tasks.join(', ')}`;
    const from = settings.by
      ? `by ${quantity?.name ?? settings.by}.`
      : `${tasks}; estimator ${provenance.estimator}. Positive influence helps validation.`;
    const [head, ...body] = rows(input).map(
      (row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`,
    );
    return [
      `# ${kind} by layer`,
      '',
      `${ruleTitle}. Model ${provenance.model.name}; ${from}`,
      '',
      head,
      `|${' --- |'.repeat(nth(rows(input), 0).length)}`,
      ...body,
      ...notes.flatMap((note) => ['', `Note: ${note}.`]),
      '',
    ].join('\n');
  },
};

function rows({ layers, allocation }: ExportInput): string[][] {
  const { kind, layers: given } = allocation!;
  const experts = kind === 'experts';
  return [
    ['layer', 'name', 'score', 'parameters', kind, ...(experts ? ['top_k'] : []), 'why'],
    ...layers.map(({ index, name, score }, l) => [
      String(index),
      name,
      String(score),
      String(nth(given, l).parameters),
      String(nth(given, l).value),
      ...(experts ? [String(nth(given, l).topK)] : []),
      nth(given, l).why,
    ]),
  ];
}
