/**
 * Small inputs of a kind that went wrong once, run as a user would: `check`, then `score`, on every folder that holds an experiment
 * file. Prints a table input × expected × got.
 *
 *   node test/cases/run.mjs FOLDER...      needs `npm run build`; the repository's own inputs: npm run test:cases
 *
 * `expected.json` in a folder says what is right: { "loss": [...] } (nats per counted token, of the first training rows),
 * { "check": "words" } or { "score": "words" } (part of a message, with its exit code 2). Without one, the line "Expected:" of
 * `case.md` is shown, and numbers behind "losses" or "loss" in it are compared.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = import.meta.dirname;
const cli = process.env.LAYERIF_CLI ?? path.resolve(here, '../../dist/cli.cjs');
/** Milliseconds after which an input counts as one that hangs. */
const LIMIT = 60_000;
const TOLERANCE = 2e-4;

/** Folders with an experiment file, at any depth, in natural order. */
function casesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(^|\.)layerif\.yaml$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

function layerif(words) {
  const { status, stdout, stderr, signal } = spawnSync(process.execPath, [cli, ...words], {
    encoding: 'utf8',
    timeout: LIMIT,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 28,
  });
  return { status: signal ? 'hangs' : status, stdout, stderr: stderr.trim() };
}

/** What `case.md` or `expected.json` says. */
export function expectationOf(folder) {
  const file = path.join(folder, 'expected.json');
  const text = existsSync(path.join(folder, 'case.md')) ? readFileSync(path.join(folder, 'case.md'), 'utf8') : '';
  const line = /^Expected:\s*(.*)$/m.exec(text)?.[1] ?? '';
  const given = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const list = String.raw`(\d+\.\d+(?:,\s*\d+\.\d+)*)`;
  const numbers = new RegExp(String.raw`loss(?:es)?(?:[^:.]*:|(?: near)?)\s*${list}`, 'i').exec(line)?.[1];
  const loss = given.loss ?? numbers?.split(',').map(Number).filter(Number.isFinite) ?? null;
  return { loss, check: given.check ?? null, score: given.score ?? null, words: line };
}

const messagesOf = (text) =>
  text
    .split('\n')
    .filter((line) => /error|warning|^layerif|:\d+:\d+:/.test(line))
    .join(' | ');

/** @returns {{ got: string, verdict: 'equal' | 'differs' | 'read' | 'refused' | 'hangs' }} */
export function outcomeOf(experiment, expected) {
  const check = layerif(['check', experiment]);
  if (check.status === 'hangs') return { got: 'check hangs', verdict: 'hangs' };
  const said = messagesOf(`${check.stdout}\n${check.stderr}`);
  if (check.status !== 0) {
    const right = expected.check !== null && said.includes(expected.check);
    return { got: `check: ${said}`, verdict: right ? 'equal' : 'refused' };
  }
  const output = mkdtempSync(path.join(tmpdir(), 'layerif-case-'));
  try {
    const score = layerif(['score', experiment, '--json', '--device', 'cpu', '--output', output]);
    if (score.status === 'hangs') return { got: 'score hangs', verdict: 'hangs' };
    const warning = said ? `; check: ${said}` : '';
    if (score.status !== 0) {
      const right = expected.score !== null && score.stderr.includes(expected.score);
      return {
        got: `score: ${messagesOf(score.stderr) || score.stderr}${warning}`,
        verdict: right ? 'equal' : 'refused',
      };
    }
    const { loss } = JSON.parse(score.stdout).tasks[0].train;
    const first = loss.slice(0, expected.loss?.length ?? 3);
    const got = `loss ${first.map((value) => value.toFixed(6)).join(', ')}${warning}`;
    if (!expected.loss?.length) return { got, verdict: 'read', loss };
    const equal = expected.loss.every((value, i) => Math.abs(value - loss[i]) <= TOLERANCE * Math.abs(value));
    return { got, verdict: equal ? 'equal' : 'differs', loss };
  } finally {
    rmSync(output, { recursive: true, force: true });
  }
}

export const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ').slice(0, 240);

/** The table of what lies below `folders`. */
export function showFolders(folders) {
  const found = folders.flatMap((folder) => casesBelow(folder).map((experiment) => ({ folder, experiment })));
  if (found.length === 0) throw new Error(`no file layerif.yaml or *.layerif.yaml lies below ${folders.join(', ')}`);
  console.log('| input | expected | got | |\n| --- | --- | --- | --- |');
  const counts = {};
  for (const { folder, experiment } of found) {
    const expected = expectationOf(path.dirname(experiment));
    const { got, verdict } = outcomeOf(experiment, expected);
    counts[verdict] = (counts[verdict] ?? 0) + 1;
    const wanted =
      expected.words || (expected.loss ? `loss ${expected.loss.join(', ')}` : (expected.check ?? expected.score ?? ''));
    console.log(`| ${cell(path.relative(folder, experiment))} | ${cell(wanted)} | ${cell(got)} | ${verdict} |`);
  }
  const parts = Object.entries(counts).map(([verdict, count]) => `${count} ${verdict}`);
  console.log(`\n${parts.join(', ')}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  showFolders(process.argv.slice(2).map((folder) => path.resolve(folder)));
