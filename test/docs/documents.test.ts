/**
 * The documents hold what the code holds: generated parts, links, code map, messages, decisions, the README's length.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';
import { requests } from '../../protocol/requests.ts';
import { folders, sourceFiles } from '../architecture/sources.ts';
import type { AllocationFile } from '../../protocol/allocation.ts';
import type { Result } from '../../protocol/result.ts';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { observationOf } from '../../server/src/scores/observations.ts';
import { optionValues } from '../../server/src/scores/options.ts';
import { scores } from '../../server/src/scores/scores.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (name: string) => readFileSync(join(root, name), 'utf8');
const architecture = read('ARCHITECTURE.md');

/** The text under a heading, to the next one of the same level. */
const section = (heading: string) => {
  const start = architecture.indexOf(`\n## ${heading}\n`);
  assert.ok(start >= 0, `ARCHITECTURE.md has no section ${heading}`);
  return architecture.slice(start, (architecture.indexOf('\n## ', start + 1) + 1 || architecture.length + 1) - 1);
};
const quoted = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, word]) => word);
/** Keys of an interface, by the TypeScript parser. */
const keysOf = (file: string, name: string) => {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true);
  const found = source.statements.find((s) => ts.isInterfaceDeclaration(s) && s.name.text === name);
  assert.ok(found && ts.isInterfaceDeclaration(found), `${file} has no interface ${name}`);
  return found.members.map((member) => member.name!.getText()).sort();
};

test('generated parts are fresh', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/generate-docs.mjs', '--check'], {
    cwd: root,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
});

test('the Python lines of docs/result-files.md were run on the golden files as they are', () => {
  const said = read('test/reference/files/read.txt').trimEnd().split('\n');
  const result = JSON.parse(read('test/golden/files/tiny.layerif-result.json')) as Result;
  for (const [i, { index, name, score }] of result.tasks[0].layers.entries())
    assert.ok(said[i].startsWith(`${index} ${name} ${score} `), said[i]);
  const allocation = JSON.parse(read('test/golden/files/tiny.layerif-allocation.json')) as AllocationFile;
  const experts = allocation.allocations.experts!.layers.map(({ value }) => value);
  assert.ok(said.includes(`experts [${experts.join(', ')}]`));
  // `dot` is the sum of C over validation rows and modules, which Python computed from the Grams.
  const dot = JSON.parse(said.at(-1)!.replace('dot: ', '')) as number[][];
  const { task, layers, train } = result.tasks[0];
  const grams = readSafetensors(join(root, 'test/golden/files/grams.safetensors'));
  const sums = layers.map(({ index }) => {
    const row = new Array<number>(train.samples).fill(0);
    for (const module of result.model.modules) {
      const C = grams.tensor(`${task}/${index}.${module}.C`) as Float64Array;
      C.forEach((value, at) => (row[Math.floor((at * row.length) / C.length)] += value));
    }
    return row.map((value) => Math.round(1e4 * value) / 1e4);
  });
  assert.deepEqual(dot, sums);
});

test('the README is short', () => {
  assert.ok(read('README.md').split('\n').length <= 150);
});

test('every link to a file leads to one', () => {
  const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'].concat(
    readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => join('docs', name)),
  );
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)(#[^)]*)?\)/g)]
      .map(([, target]) => join(dirname(page), target))
      .filter((target) => !existsSync(join(root, target)))
      .map((target) => `${page}: ${target}`),
  );
  assert.deepEqual(broken, []);
});

test('the code map has a row for every folder, and no other', () => {
  const rows = [...section('Code map').matchAll(/^\| `([^`]+)` /gm)].map(([, folder]) => folder).sort();
  assert.deepEqual(rows, [...new Set(sourceFiles(folders).map((file) => dirname(file)))].sort());
});

test('the list of messages is the code’s', () => {
  const [engine, server, pages] = section('Messages')
    .split('\n\n')
    .filter((part) => part.includes(': `'))
    .map((part) => quoted(part.slice(part.indexOf('): ') + 3)).sort());
  assert.deepEqual(engine, keysOf('protocol/engine.ts', 'EngineRequests'));
  assert.deepEqual(server, Object.keys(requests).sort());
  assert.deepEqual(pages, keysOf('protocol/webview.ts', 'Pages'));
});

test('the index of decisions is the folder’s', () => {
  const listed = [...section('Decisions').matchAll(/\(docs\/decisions\/([^)]+)\)/g)].map(([, name]) => name).sort();
  assert.deepEqual(listed, readdirSync(join(root, 'docs/decisions')).sort());
});

test('scores of graphs: those that read weights, hidden states and inputs of matrices alone', () => {
  const page = read('docs/onnx-graphs.md').replace(/\s+/g, ' ');
  const sentence = /are computed on graphs too: (.*?)\. /.exec(page)![1];
  const shape = { layers: 2, hidden: 8, texts: 4, modules: () => [] };
  const ofGraphs = scores.filter((score) => {
    const reads = Object.values(score.needs(optionValues(score, {}), shape)).map(({ of }) => observationOf(of).reads);
    return reads.length > 0 && reads.every((one) => ['weights', 'hidden', 'inputs'].includes(one));
  });
  assert.deepEqual(quoted(sentence).sort(), ofGraphs.map(({ id }) => id).sort());
});
