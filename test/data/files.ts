/** Temporary files for tests of datasets; removed when the test ends. */
import type { TestContext } from 'node:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { LayerifError, located } from '../../protocol/errors.ts';

/** Writes `files` (path -> content) into a new folder and gives its path. */
export function folder(t: TestContext, files: Record<string, string | Buffer>): string {
  const root = mkdtempSync(join(tmpdir(), 'layerif-data-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  return root;
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** `line:message` of the LayerifError that `work` throws, with `root` cut out of paths. */
export async function refusal(work: () => unknown, root = ''): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof LayerifError)) throw error;
    const text = located(error);
    return root === '' ? text : text.replaceAll(`${root}/`, '').replaceAll(root, '<root>');
  }
  throw new Error('nothing was refused');
}
