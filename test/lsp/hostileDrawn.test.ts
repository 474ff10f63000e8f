/**
 * Hostile experiments at random: another document's hover is answered while one is worked on, that one comes to an end
 * with or without a fault (which templates are refused is the matter of `../data/jinjaLimits.test.ts`), and Ctrl-C ends
 * the command line. LAYERIF_HOSTILE=50 draws as many, LAYERIF_HOSTILE_SEED=7 draws those of a seed.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { layerif } from '../cli/layerifProcess.ts';
import { seededRandom, writeTinyWorkspace } from '../tinyLlama.ts';
import { Client } from './client.ts';
import { descendants, isAlive } from './descendants.ts';
import { drawn } from './hostileGenerator.ts';

/** Pipes, devices and processes are those of Linux. */
const skip = process.platform !== 'linux';
const count = Number(process.env['LAYERIF_HOSTILE'] ?? 6);
const first = Number(process.env['LAYERIF_HOSTILE_SEED'] ?? Math.floor(Math.random() * 1e6));
/** Milliseconds; a worker that does not come back is ended after 5 s, so that only a hung server takes this long. */
const PATIENCE = 600_000;
/** Of these the command line is asked too. */
const asCommand = Math.ceil(count / 3);

const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-drawn-')));
let client: Client;
let good: string;

before(async () => {
  if (skip) return;
  const { experiment } = writeTinyWorkspace(folder);
  client = await Client.start(folder);
  good = pathToFileURL(experiment).href;
  await client.open(good, fs.readFileSync(experiment, 'utf8'));
  await client.diagnostics(good);
});
after(async () => {
  if (!skip) await client.stop();
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

const answersOf = (uri: string) => client.published.filter((one) => one.uri === uri);

for (let seed = first; seed < first + count; seed++) {
  test(`seed ${seed}: another file is answered, and this one comes to an end`, { skip }, async (t) => {
    const { family, text } = drawn(folder, seededRandom(seed));
    t.diagnostic(`${family}: ${text.slice(0, 1000)}`);
    const file = path.join(folder, `h${seed}.layerif.yaml`);
    fs.writeFileSync(file, text);
    const uri = pathToFileURL(file).href;
    await client.open(uri, text);
    assert.ok(await client.hover(good, 1, 1), 'another file is not answered');
    await client.until(() => answersOf(uri).length > 0, `an answer about ${family}`, PATIENCE);
    // A first answer may come before the file is read to its end; this one comes behind that, or when it is given up.
    await client.hover(uri, 1, 1);
    assert.ok(await client.hover(good, 1, 1), 'another file is not answered afterwards');
    for (const { message } of answersOf(uri).at(-1)!.diagnostics) {
      assert.ok(typeof message === 'string' && !message.includes('\n'));
      assert.doesNotMatch(message, /defect|RangeError|TypeError|Maximum call stack|heap out of memory|ENOENT|EISDIR/);
    }
    await client.connection.sendNotification('textDocument/didClose', { textDocument: { uri } });
  });
}

for (let seed = first; seed < first + asCommand; seed++) {
  test(`seed ${seed}: the command line says what is wrong, or ends by Ctrl-C`, { skip }, async () => {
    const { text } = drawn(folder, seededRandom(seed));
    fs.writeFileSync(path.join(folder, 'c.layerif.yaml'), text);
    let below: number[] = [];
    let asked = false;
    const { code, signal, stderr } = await layerif(['check', 'c.layerif.yaml'], {
      cwd: folder,
      onStart: (child) => {
        const look = setInterval(() => {
          below = [...new Set([...below, ...descendants(child.pid!)])];
          if (asked || below.length < 1) return;
          asked = true;
          child.kill('SIGINT');
        }, 100);
        child.on('exit', () => clearInterval(look));
      },
    });
    // Asked before it listens it ends as every program does; some draws are harmless, and done before they are asked.
    assert.ok(signal === 'SIGINT' || [0, 2, 130].includes(code!), `exit code ${code}: ${stderr}`);
    for (let tries = 0; tries < 1200 && below.some(isAlive); tries++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(below.filter(isAlive), []);
  });
}
