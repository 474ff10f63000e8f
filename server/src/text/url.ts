/** The URL that stands where a path belongs, also when it was joined to a folder; null for a path. */
export function urlIn(target: string): string | null {
  const found = /(?:^|[\\/])([a-z][a-z0-9+.-]+):\/+([^/].*)$/i.exec(target);
  return found === null ? null : `${found[1]}://${found[2]}`;
}

/** What to give in its place. @param kind of repository on the hub; without one there is none */
export function urlAdvice(kind?: 'model' | 'dataset'): string {
  const other = 'download it and give its path';
  return kind === undefined
    ? `it is a URL; ${other}`
    : `is a URL; of a ${kind} on the Hugging Face hub give the id org/name, of another ${other}`;
}
