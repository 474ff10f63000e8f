/**
 * Loaded before a process (NODE_OPTIONS=--import): makes the file system fail at a chosen call that changes it.
 *
 *   LAYERIF_TEST_FAULT="kill engine 17"       SIGKILL at the 17th call; a write has written half of its bytes by then
 *   LAYERIF_TEST_FAULT="kill engine 2 KIND"   the same at the second call of a kind, as counted
 *   LAYERIF_TEST_FAULT="full run 3"           from the third call on writes find a full disk (ENOSPC)
 *   LAYERIF_TEST_FAULT="count engine FILE"    a line in FILE for every call: its kind
 *
 * `engine` is the forked engine, `run` the process that forked it. A kind is what is done to which file, without the
 * numbers in its name: `renameSync .layer-#.safetensors.#.tmp`.
 */
import fs from 'node:fs';
import path from 'node:path';

const [, what, target, argument, wanted] = /^(\w+) (\w+) (\S+)(?: (.+))?$/.exec(process.env.LAYERIF_TEST_FAULT) ?? [];
const inEngine = /engine(Main\.ts|\.cjs)$/.test(process.argv[1] ?? '');
if (target === (inEngine ? 'engine' : 'run')) {
  const { openSync, writeSync } = fs;
  const counter = what === 'count' ? openSync(argument, 'a') : -1;
  /** Open file -> its path. */
  const paths = new Map();
  let calls = 0;
  for (const name of [
    'openSync',
    'writeSync',
    'writeFileSync',
    'fsyncSync',
    'renameSync',
    'linkSync',
    'rmSync',
    'mkdirSync',
  ]) {
    const own = fs[name];
    fs[name] = (...args) => {
      if (name === 'openSync' && !String(args[1] ?? 'r').startsWith('w')) return own(...args);
      const file = path.basename(String(paths.get(args[0]) ?? args[0]));
      const kind = `${name} ${file.replace(/[0-9a-f]*\d[0-9a-f]*/g, '#')}`;
      if (wanted === undefined || wanted === kind) calls++;
      if (what === 'count') writeSync(counter, `${kind}\n`);
      if (what === 'kill' && calls === Number(argument)) {
        if (name === 'writeSync') writeSync(args[0], args[1], args[2] ?? 0, (args[3] ?? args[1].length) >> 1, args[4]);
        process.kill(process.pid, 'SIGKILL');
      }
      if (what === 'full' && calls >= Number(argument) && /^write/.test(name)) {
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      }
      const answer = own(...args);
      if (name === 'openSync') paths.set(answer, args[0]);
      return answer;
    };
  }
}
