/** Paths as they are shown. */
import path from 'node:path';

/** Relative to the working folder when it lies below it: shorter, and terminals still make a link of it. */
export function shortened(file: string, baseDir: string): string {
  const relative = path.relative(baseDir, file);
  return relative === '' || relative.startsWith('..') || path.isAbsolute(relative) ? file : relative;
}
