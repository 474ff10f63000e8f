/**
 * Loaded before a process (NODE_OPTIONS=--import): makes the file system fail at a chosen call that changes it.
 *
 *   LAYERIF_TEST_FAULT="kill engine 17"    SIGKILL at the 17th call; a write has written half of its bytes by then
 *   LAYERIF_TEST_FAULT="full run 3"        from the third call on writes find a full disk (ENOSPC)
 *   LAYERIF_TEST_FAULT="count engine FILE" a byte in FILE for every call
 *
 * `engine` is the forked engine, `run` the process that forked it.
 */
import fs from 'node:fs';

const [what, target, argument] = (process.env.LAYERIF_TEST_FAULT ?? '').split(' ');
const inEngine = /engine(Main\.ts|\.cjs)$/.test(process.argv[1] ?? '');
if (target === (inEngine ? 'engine' : 'run')) {
  const { writeSync } = fs;
  const counter = what === 'count' ? fs.openSync(argument, 'a') : -1;
  let calls = 0;
  for (const name of ['openSync', 'writeSync', 'writeFileSync', 'fsyncSync', 'renameSync', 'rmSync', 'mkdirSync']) {
    const own = fs[name];
    fs[name] = (...args) => {
      if (name === 'openSync' && !String(args[1] ?? 'r').startsWith('w')) return own(...args);
      calls++;
      if (what === 'count') writeSync(counter, '.');
      if (what === 'kill' && calls === Number(argument)) {
        if (name === 'writeSync') writeSync(args[0], args[1], args[2] ?? 0, (args[3] ?? args[1].length) >> 1, args[4]);
        process.kill(process.pid, 'SIGKILL');
      }
      if (what === 'full' && calls >= Number(argument) && /^write/.test(name)) {
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      }
      return own(...args);
    };
  }
}
