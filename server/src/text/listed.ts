/** Names in a message. */

/** `a, b, c`, shortened after `limit` names. */
export function listed(names: readonly string[], limit = 20): string {
  if (names.length === 0) return 'none';
  if (names.length <= limit) return names.join(', ');
  return `${names.slice(0, limit).join(', ')} and ${names.length - limit} more`;
}
