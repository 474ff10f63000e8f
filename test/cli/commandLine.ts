/** The command line in the test's own process: no terminal, 100 columns. */
import { runCommandLine } from '../../server/src/cli/cli.ts';

export interface Said {
  code: number;
  out: string;
  err: string;
}

export async function commandLine(baseDir: string, words: string[]): Promise<Said> {
  const said = { out: '', err: '' };
  const code = await runCommandLine(words, {
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    columns: 100,
    fitted: false,
    interactive: false,
    baseDir,
    signal: new AbortController().signal,
  });
  return { code, ...said };
}
