/**
 * The value of a record under a name that it has by construction: a tensor that a need has asked for, a metric that
 * each document has. Where a name may be missing, ask for it plainly and say what then.
 */

/** @throws RangeError where the record has no such name, which is a defect of the caller */
export function entry<T>(record: Readonly<Record<string, T>>, name: string): T {
  const value = record[name];
  if (value === undefined) throw new RangeError(`a record of ${Object.keys(record).join(', ')} has no "${name}"`);
  return value;
}
