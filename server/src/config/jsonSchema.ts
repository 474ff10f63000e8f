/**
 * The experiment's JSON Schema (draft-07, what editors know best), made from the zod schema, and walks through it.
 *
 * Messages, completion and hover read this form: it is plain data, so "what is allowed here" is one lookup by path.
 */
import { z } from 'zod';
import { experimentSchema } from './schema.ts';
import { isMapping } from './words.ts';
import type { Path } from './yamlSource.ts';

export interface JsonSchema {
  type?: string;
  description?: string;
  default?: unknown;
  examples?: unknown[];
  const?: unknown;
  enum?: unknown[];
  pattern?: string;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  exclusiveMaximum?: number;
  minItems?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  /** VS Code's word: accepted, never offered. */
  doNotSuggest?: boolean;
}

let made: JsonSchema | undefined;

export function experimentJsonSchema(): JsonSchema {
  made ??= z.toJSONSchema(experimentSchema, { io: 'input', target: 'draft-7' }) as JsonSchema;
  return made;
}

/** The text of `media/layerif.schema.json`. */
export function experimentJsonSchemaText(): string {
  // zod writes JavaScript's largest safe integer as the upper end of every whole number.
  const tidy = (key: string, value: unknown) =>
    key === 'maximum' && value === Number.MAX_SAFE_INTEGER ? undefined : value;
  return `${JSON.stringify(experimentJsonSchema(), tidy, 2)}\n`;
}

/** What may stand at a path; null where nothing may. */
export function schemaAt(path: Path): JsonSchema | null {
  let node: JsonSchema | null = experimentJsonSchema();
  for (const part of path) {
    node = step(node, part);
    if (!node) return null;
  }
  return node;
}

function step(node: JsonSchema, part: string | number): JsonSchema | null {
  for (const option of alternatives(node)) {
    if (typeof part === 'number') {
      if (option.items) return option.items;
      continue;
    }
    const own = option.properties?.[part];
    if (own) return own;
    if (typeof option.additionalProperties === 'object') return option.additionalProperties;
  }
  return null;
}

/** A schema, or each of what it may be. */
export function alternatives(node: JsonSchema): JsonSchema[] {
  return node.anyOf ? node.anyOf.flatMap(alternatives) : [node];
}

/**
 * The words that may stand there, for completion and "use one of"; `true` the text and `true` the boolean are one word.
 */
export function allowedWords(node: JsonSchema): (string | number)[] {
  const words = alternatives(node).flatMap(
    (option) => (option.enum ?? (option.const === undefined ? [] : [option.const])) as (string | number)[],
  );
  return words.filter((word, i) => words.findIndex((other) => String(other) === String(word)) === i);
}

/** What is expected, in words: `one of all, target`, `a whole number, at least 2`. */
export function expectation(node: JsonSchema): string {
  const words = allowedWords(node);
  const rest = alternatives(node).filter((o) => o.enum === undefined && o.const === undefined && o.type !== 'null');
  const parts = [
    ...(words.length > 1 ? [`one of ${words.join(', ')}`] : words.map(String)),
    ...rest.map((option) => kind(option, node)),
  ];
  return [...new Set(parts)].join(' or ');
}

function kind(node: JsonSchema, whole: JsonSchema): string {
  switch (node.type) {
    case 'string': {
      const examples = (node.examples ?? whole.examples ?? []).filter((e) => typeof e === 'string');
      if (examples.length === 0) return 'text';
      // A pattern is told by its examples; elsewhere one is enough.
      const quoted = examples.slice(0, node.pattern === undefined ? 1 : 3).map((e) => JSON.stringify(e));
      return `text such as ${quoted.join(', ')}`;
    }
    case 'integer':
    case 'number':
      return `${node.type === 'integer' ? 'a whole number' : 'a number'}${bounds(node)}`;
    case 'boolean':
      return 'true or false';
    case 'array': {
      const example = (node.examples ?? whole.examples ?? []).find((e) => Array.isArray(e));
      if (example !== undefined) return `a list such as ${JSON.stringify(example)}`;
      return node.minItems === undefined ? 'a list' : 'a list with at least one item';
    }
    case 'object': {
      const keys = offeredKeys(node);
      if (keys.length > 0) return `a mapping with the keys ${keys.join(', ')}`;
      const example = (node.examples ?? whole.examples ?? []).find((e) => isMapping(e));
      return example === undefined ? 'a mapping' : `a mapping such as ${JSON.stringify(example)}`;
    }
    case undefined:
    default:
      return 'a value';
  }
}

function bounds(node: JsonSchema): string {
  const low =
    node.minimum !== undefined && node.minimum > Number.MIN_SAFE_INTEGER ? `of at least ${node.minimum}` : undefined;
  const parts = [
    node.exclusiveMinimum === undefined ? low : `above ${node.exclusiveMinimum}`,
    node.exclusiveMaximum === undefined ? undefined : `below ${node.exclusiveMaximum}`,
  ].filter((part) => part !== undefined);
  return parts.length > 0 ? ` ${parts.join(' and ')}` : '';
}

/** Keys of a mapping that are worth naming: all but those that are merely tolerated. */
export function offeredKeys(node: JsonSchema): string[] {
  return alternatives(node).flatMap((option) =>
    Object.entries(option.properties ?? {})
      .filter(([, property]) => !property.doNotSuggest)
      .map(([key]) => key),
  );
}

/** Every key that is accepted. */
export function knownKeys(node: JsonSchema): string[] {
  return alternatives(node).flatMap((option) => Object.keys(option.properties ?? {}));
}
