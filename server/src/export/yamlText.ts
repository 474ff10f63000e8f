/** A text as a YAML scalar: JSON strings are YAML. */
export const quoted = (text: string): string => JSON.stringify(text);
