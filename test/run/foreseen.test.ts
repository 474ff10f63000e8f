/**
 * `check` says what the sections of an experiment will be refused for (run/check/preparations.ts): a case for each
 * sentence, and no sentence of the commands without a case or a reason why the files do not tell it.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { checkExperiment } from '../../server/src/run/check/check.ts';
import { cases } from './foreseenCases.ts';
import { refusalSites } from './refusalSites.ts';
import { untold } from './untoldRefusals.ts';
import { tinyWorkspace } from './workspace.ts';

const said: string[] = [];

for (const { sections, rows, edits = [], files = {}, spoil, memoryBytes, says, severity = 'error' } of cases) {
  test(`${sections.split('\n')[0] || edits.map(([, to]) => to).join()}: ${says.source}`, async (t) => {
    const { folder, experiment, edit } = tinyWorkspace(t);
    if (rows) {
      fs.writeFileSync(path.join(folder, 'data/own.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
      edit('tasks:', '  own: { path: data/own.jsonl }\ntasks:');
    }
    for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), content);
    spoil?.(folder);
    fs.appendFileSync(experiment, `${sections}\n`);
    for (const [from, to] of edits) edit(from, to);
    const { problems } = await checkExperiment(experiment, undefined, 'full', { device: 'cpu', memoryBytes });
    const all = problems.map((problem) => `${problem.severity}: ${problem.message}`).join('\n');
    const found = problems.find(({ message }) => says.test(message));
    assert.ok(found, all || 'nothing');
    assert.equal(found.severity, severity, all);
    said.push(...problems.map(({ message }) => message));
  });
}

test('every refusal of the commands has a case or a reason', () => {
  const sites = refusalSites(Object.keys(untold)).filter(({ words }) => words !== '');
  const used = new Set<string>();
  const missing = sites.flatMap(({ file, line, words, says }) => {
    const [room, name] = file.split('/') as [string, string];
    const reason = untold[room]?.[name]?.find(([begin]) => words.startsWith(begin));
    if (reason) used.add(`${file} ${reason[0]}`);
    return (reason ?? said.some((message) => says.test(message))) ? [] : [`${file}:${line}: ${words}`];
  });
  assert.deepEqual(
    missing,
    [],
    'write a case in foreseenCases.ts that `check` refuses, or a reason in untoldRefusals.ts',
  );
  const listed = Object.entries(untold).flatMap(([room, files]) =>
    Object.entries(files).flatMap(([name, rows]) => rows.map(([begin]) => `${room}/${name} ${begin}`)),
  );
  assert.deepEqual(
    listed.filter((row) => !used.has(row) && row !== 'inputs/refusals.ts '),
    [],
  );
});
