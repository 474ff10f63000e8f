/**
 * Results name files: their data, their experiment. A result may come from anywhere, so a file outside the workspace is
 * opened only after a question; before the answer nothing touches it (to look at a path on another machine already
 * signs in there). No `vscode` here.
 */
import { realpathSync } from 'node:fs';
import path from 'node:path';

/** @param folders of the workspace */
export function isOutside(file: string, folders: readonly string[]): boolean {
  const whole = path.resolve(file);
  if (!folders.some((folder) => holds(folder, whole))) return true;
  // Inside by its name: a link may lead out.
  const real = realOf(whole);
  return real !== null && !folders.some((folder) => holds(realOf(folder) ?? folder, real));
}

/** Whether a file may be opened. @param ask shows a question and says whether it was agreed to */
export async function mayOpen(
  file: string,
  folders: readonly string[],
  ask: (question: string, detail: string) => Promise<boolean>,
): Promise<boolean> {
  if (!isOutside(file, folders)) return true;
  return ask(
    'This file lies outside the workspace. Open it?',
    `The result names ${JSON.stringify(file)}. Open it only if you know where the result comes from.`,
  );
}

function holds(folder: string, file: string): boolean {
  const way = path.relative(path.resolve(folder), file);
  return way === '' || (!path.isAbsolute(way) && way !== '..' && !way.startsWith(`..${path.sep}`));
}

/** Null for what is not there: there is nothing to open. */
function realOf(file: string): string | null {
  try {
    return realpathSync(file);
  } catch {
    return null;
  }
}
