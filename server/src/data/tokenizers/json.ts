/** Settings of tokenizer.json as they come. */
export type Json = Record<string, unknown>;

export const wordOf = (value: unknown, missing: string): string => (typeof value === 'string' ? value : missing);
