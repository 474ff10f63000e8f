/**
 * A row of a table by a name that a file or a user gave: only what the table itself holds, never a key of its
 * prototype.
 */

/** Undefined for a name that the table does not have, `constructor` and `toString` among them. */
export function lookup<T>(table: Readonly<Record<string, T>>, name: unknown): T | undefined {
  return typeof name === 'string' && Object.hasOwn(table, name) ? table[name] : undefined;
}
