/**
 * The parts of the documents that are tables of the program. `scripts/generate-docs.mjs` writes them; a test holds them
 * fresh.
 */
import { listOf } from '../run/inputs/lists.ts';
import type { ListEntry, ListKind } from '../run/inputs/lists.ts';
import { tools } from '../../../protocol/tools.ts';
import { commands } from './commands.ts';

const kinds = [
  'estimators',
  'scores',
  'rules',
  'pruners',
  'metrics',
  'exports',
  'families',
  'formats',
] as const satisfies readonly ListKind[];

/** Name of a part -> Markdown. */
export function generatedParts(): Record<string, string> {
  return {
    commands: markdownTable(
      ['command', 'does'],
      commands.map(({ name, argument, summary }) => [`\`layerif ${name} ${argument}\``, summary]),
    ),
    tools: markdownTable(
      ['tool', 'does', 'inputs'],
      tools.map(({ id, summary, inputs }) => [
        `\`${id}\``,
        summary,
        `\`${Object.entries(inputs)
          .map(([name, { required }]) => (required ? name : `${name}?`))
          .join(', ')}\``,
      ]),
    ),
    ...Object.fromEntries(kinds.map((kind) => [kind, markdownList(listOf(kind))])),
  };
}

function markdownList(entries: readonly ListEntry[]): string {
  return markdownTable(
    ['id', 'what it is', 'source'],
    entries.map(({ id, title, source }) => [`\`${id}\``, title, source]),
  );
}

function markdownTable(head: string[], rows: string[][]): string {
  // Stars and underscores of formulas are no emphasis.
  const cell = (text: string) =>
    text.startsWith('`') ? text.replaceAll('|', '\\|') : text.replaceAll(/[|*_<]/g, (sign) => `\\${sign}`);
  const line = (cells: string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
