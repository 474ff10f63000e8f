/**
 * `npm run test:host`: the in-host suite in code-server, the extension loaded from this folder. The workbench hands the
 * suite's result and console to two functions of the page, as it does for @vscode/test-web.
 */
import { format } from 'node:util';
import { root, startWorkbench } from '../e2e/harness.ts';
import { writeTinyWorkspace } from '../tinyLlama.ts';
import { bundleHostSuite } from './bundle.ts';

const LIMIT_MS = 180_000;
const firstLine = 'LayerIF in the extension host';

const tests = await bundleHostSuite();
const bench = await startWorkbench({
  development: { extension: root, tests },
  fill: (folder) => void writeTinyWorkspace(folder),
});
let code = 1;
try {
  const result = new Promise<number>((done) => void bench.page.exposeFunction('codeAutomationExit', done));
  let started = process.env.VERBOSE !== undefined; // the workbench's own lines come first
  await bench.page.exposeFunction('codeAutomationLog', (_type: string, values: unknown[]) => {
    const line = format(...values);
    started ||= line.includes(firstLine);
    if (started) console.log(line);
  });
  await bench.page.goto(bench.url);
  const limit = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new Error(`no result within ${LIMIT_MS} ms`)), LIMIT_MS).unref(),
  );
  code = await Promise.race([result, limit]);
  if (code !== 0) console.error(bench.logs());
} catch (error) {
  console.error(`${(error as Error).message}\n${bench.logs()}`);
} finally {
  await bench.stop();
}
process.exit(code);
