/** Ctrl-C ends a command whose loop never comes back, with its exit code and with every process below it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { busyRuns } from '../lsp/hostileExperiments.ts';
import { descendants, isAlive } from '../lsp/descendants.ts';
import { seededRandom, writeTinyWorkspace } from '../tinyLlama.ts';
import { layerif } from './layerifProcess.ts';

/** Processes and signals are those of Linux. */
const skip = process.platform !== 'linux';

for (const [name, kind] of Object.entries(busyRuns))
  test(`${name}: Ctrl-C ends with 130 and leaves no process`, { skip }, async (t) => {
    const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-endless-')));
    t.after(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    writeTinyWorkspace(folder);
    fs.writeFileSync(path.join(folder, 'e.layerif.yaml'), kind(folder, seededRandom(5)));
    let below: number[] = [];
    let asked = false;
    // Nothing is said while the tokenizer works: the engine is there before, so its start tells the moment.
    const words = ['score', 'e.layerif.yaml', '--device', 'cpu', '--threads', '1'];
    const { code, signal, stderr, stdout } = await layerif(words, {
      cwd: folder,
      onStart: (child) => {
        const look = setInterval(() => {
          below = [...new Set([...below, ...descendants(child.pid!)])];
          if (asked || below.length < 2) return;
          asked = true;
          child.kill('SIGINT');
        }, 100);
        child.on('exit', () => clearInterval(look));
      },
    });
    assert.deepEqual([code, signal, stdout], [130, null, ''], stderr);
    assert.match(stderr, /stopping at the next step; Ctrl-C again stops at once/);
    assert.ok(asked && below.length >= 2);
    for (let tries = 0; tries < 100 && below.some(isAlive); tries++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(below.filter(isAlive), []);
  });
