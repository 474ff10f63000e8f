/** Paths as result files hold them. */
import path from 'node:path';

/** With `/` on every platform, so that results compare across machines. */
export function relativeTo(baseDir: string, file: string): string {
  return path.relative(baseDir, file).split(path.sep).join('/');
}
