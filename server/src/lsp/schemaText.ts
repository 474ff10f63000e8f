/** A piece of the schema as Markdown, for hover and completion. */
import { allowedWords, offeredKeys } from '../config/jsonSchema.ts';
import type { JsonSchema } from '../config/jsonSchema.ts';

export function documentation(schema: JsonSchema): string {
  const words = allowedWords(schema);
  const keys = offeredKeys(schema);
  const code = (value: unknown) => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
  const isPlain = schema.default !== undefined && typeof schema.default !== 'object';
  const parts = [
    schema.description ?? '',
    words.length > 1 ? `One of ${words.map(code).join(', ')}.` : '',
    keys.length > 0 ? `Keys: ${keys.map(code).join(', ')}.` : '',
    isPlain && schema.default !== ''
      ? `Default: ${code(isBlank(schema.default) ? JSON.stringify(schema.default) : schema.default)}.`
      : '',
    schema.examples && words.length < 2 ? `Examples: ${schema.examples.map(code).join(', ')}.` : '',
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function isBlank(value: unknown): boolean {
  return typeof value === 'string' && value.trim() === '';
}
