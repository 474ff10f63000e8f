/**
 * Completion: keys and words from the schema with their sentences, values from the disk (`choices.ts`), columns inside
 * `{{ }}`.
 */
import { CompletionItemKind, InsertTextFormat, MarkupKind } from 'vscode-languageserver/node';
import type { CompletionItem, Position, TextEdit } from 'vscode-languageserver/node';
import { allowedWords, alternatives, schemaAt } from '../config/jsonSchema.ts';
import type { JsonSchema } from '../config/jsonSchema.ts';
import { YamlSource } from '../config/yamlSource.ts';
import type { Path } from '../config/experiment.ts';
import { choicesAt, columns } from './choices.ts';
import type { Choice } from './choices.ts';
import { cursorAt } from './cursor.ts';
import type { Cursor } from './cursor.ts';
import type { TypedExperiment } from './documents.ts';
import { documentation } from './schemaText.ts';
import { snippetItems } from './snippets.ts';

const suggestAgain = { title: 'Suggest', command: 'editor.action.triggerSuggest' };

export async function completionAt(typed: TypedExperiment, position: Position): Promise<CompletionItem[]> {
  const { document, baseDir } = typed;
  const cursor = cursorAt(document.getText(), position.line, position.character);
  const valuePath = cursor.key === null ? cursor.path : [...cursor.path, cursor.key];
  const asked = {
    // A line in braces may hold what its own completion depends on.
    raw:
      (cursor.flow ? typed.parsed.raw : typed.rawBeside(position.line)) ??
      withoutLine(document.getText(), position.line) ??
      typed.parsed.lastRaw,
    baseDir,
    path: valuePath,
    word: cursor.word,
  };
  if (cursor.template !== null) {
    const start = position.character - cursor.template.length;
    return (await columns(asked)).map((choice) =>
      itemOf(choice, replace(position.line, start, position.character, choice.value)),
    );
  }
  if (cursor.key === null && !isScalarPlace(cursor.path)) return keyItems(cursor, position.line);

  const choices = await choicesAt(asked);
  const schema = schemaAt(valuePath);
  const known = new Set(choices.map(({ value }) => value));
  const words = schema ? wordChoices(schema).filter(({ value }) => !known.has(value)) : [];
  return [...choices, ...words].map((choice, index) => ({
    ...itemOf(choice, replace(position.line, cursor.wordStart, cursor.wordEnd, quoted(choice.value, cursor))),
    // Their own order: files and columns as they stand, the default first.
    sortText: String(index).padStart(4, '0'),
    filterText: choice.value,
    ...(schema && choice.value === String(schema.default) ? { preselect: true } : {}),
  }));
}

/** The line that is being typed is mostly what makes the text unreadable. */
function withoutLine(text: string, line: number): unknown {
  const lines = text.split('\n');
  lines[line] = '';
  return new YamlSource(lines.join('\n'), '').value;
}

function keyItems(cursor: Cursor, line: number): CompletionItem[] {
  const sections = cursor.flow
    ? []
    : snippetItems(cursor.path, cursor.siblings, (text) => replace(line, cursor.wordStart, cursor.wordEnd, text));
  const schema = schemaAt(cursor.path);
  if (!schema) return sections;
  const keys = alternatives(schema).flatMap((option) =>
    Object.entries(option.properties ?? {})
      .filter(([key, property]) => !property.doNotSuggest && !cursor.siblings.includes(key))
      .map(([key, property], index): CompletionItem => ({
        label: key,
        kind: CompletionItemKind.Property,
        detail: option.required?.includes(key) && property.default === undefined ? 'required' : undefined,
        documentation: { kind: MarkupKind.Markdown, value: documentation(property) },
        insertTextFormat: InsertTextFormat.Snippet,
        textEdit: replace(line, cursor.wordStart, cursor.wordEnd, `${key}:${opening(property, cursor.flow)}`),
        sortText: String(index).padStart(4, '0'),
        command: suggestAgain,
      })),
  );
  return [...keys, ...sections];
}

/** What follows a key: a space, or the beginning of a mapping or a list. */
function opening(schema: JsonSchema, flow: boolean): string {
  const types = alternatives(schema).map(({ type }) => type);
  if (flow || types.length !== 1) return ' ';
  if (types[0] === 'object') return '\n  ';
  // Words stand well on one line, tasks do not.
  if (types[0] === 'array') return schema.items?.type === 'object' ? '\n  - ' : ' [$0]';
  return ' ';
}

/** A list of words, or a value: no keys can stand there. */
function isScalarPlace(path: Path): boolean {
  if (typeof path.at(-1) !== 'number') return false;
  const schema = schemaAt(path);
  return schema !== null && !alternatives(schema).some(({ type }) => type === 'object');
}

function wordChoices(schema: JsonSchema): Choice[] {
  const words: Choice[] = allowedWords(schema).map((word) => ({
    value: String(word),
    kind: CompletionItemKind.EnumMember,
  }));
  if (alternatives(schema).some(({ type }) => type === 'boolean')) {
    words.push(...['true', 'false'].map((value) => ({ value, kind: CompletionItemKind.Keyword })));
  }
  return words;
}

/** A text that YAML would read as something else is put in quotes, unless it stands in them already. */
function quoted(value: string, { quote, flow }: Cursor): string {
  if (quote) return value;
  const special = flow ? /^[\s*&!|>%@`"'#-]|[{}[\],]|: |^$/ : /^[\s*&!|>%@`"'{}[\]#]|: |^$/;
  return special.test(value) ? JSON.stringify(value) : value;
}

function itemOf({ value, kind, detail, more }: Choice, textEdit: TextEdit): CompletionItem {
  return {
    label: value,
    kind,
    textEdit,
    ...(detail === undefined ? {} : { detail }),
    ...(more ? { command: suggestAgain } : {}),
  };
}

function replace(line: number, start: number, end: number, newText: string): TextEdit {
  return { range: { start: { line, character: start }, end: { line, character: end } }, newText };
}
