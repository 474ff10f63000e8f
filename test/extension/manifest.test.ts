/** The manifest against the code and against what users rely on: every id exists on both sides. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { editorTools } from '../../protocol/tools.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const manifestText = readFileSync(path.join(ROOT, 'package.json'), 'utf8');

interface Manifest {
  contributes: {
    commands: { command: string }[];
    views: { layerif: { id: string; type?: string }[] };
    customEditors: { viewType: string; selector: { filenamePattern: string }[] }[];
    configuration: { properties: Record<string, { scope: string }> };
    menus: Record<string, { command: string }[]>;
    languageModelTools: unknown[];
    mcpServerDefinitionProviders: { id: string }[];
    taskDefinitions: { type: string }[];
    problemMatchers: {
      pattern: { regexp: string; file: number; line: number; column: number; severity: number; message: number }[];
    }[];
  };
  capabilities: { untrustedWorkspaces: { restrictedConfigurations: string[] } };
}
const manifest = JSON.parse(manifestText) as Manifest;
const strings = JSON.parse(readFileSync(path.join(ROOT, 'package.nls.json'), 'utf8')) as Record<string, string>;
const source = sources(path.join(ROOT, 'extension/src'));

function sources(folder: string): string {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');
}

const contributed = manifest.contributes.commands.map(({ command }) => command).sort();
const registered = [...source.matchAll(/registerCommand\(\s*'(layerif\.\w+)'/g)].map((match) => match[1]).sort();

test('commands: contributed and registered are the same list', () => {
  assert.deepEqual(registered, contributed);
});

test('commands, views, editor and settings that users rely on', () => {
  for (const id of ['scoreLayers', 'scoreTask', 'scoreDataset', 'cancelRun', 'restartServer', 'showOutput'])
    assert.ok(contributed.includes(`layerif.${id}`), id);
  assert.deepEqual(
    manifest.contributes.views.layerif.map(({ id, type }) => [id, type]),
    [
      ['layerif.experiments', undefined],
      ['layerif.layers', 'webview'],
      ['layerif.runs', undefined],
    ],
  );
  assert.equal(manifest.contributes.customEditors[0].viewType, 'layerif.results');
  assert.equal(manifest.contributes.customEditors[0].selector[0].filenamePattern, '*.layerif-result.json');
  const settings = Object.keys(manifest.contributes.configuration.properties);
  for (const id of ['device', 'server.threads', 'server.maxMemory', 'server.idleTimeout', 'server.runtime'])
    assert.ok(settings.includes(`layerif.${id}`), id);
  assert.equal(strings['layerif.scoreLayers'], 'Score Layers');
  assert.equal(strings['layerif.scoreTask'], 'Score This Task');
  assert.equal(strings['layerif.scoreDataset'], 'Score Layers with This Dataset');
});

test('every %key% has its text and every text is used', () => {
  const used = new Set([...manifestText.matchAll(/%([\w.]+)%/g)].map((match) => match[1]));
  assert.deepEqual([...used].sort(), Object.keys(strings).sort());
});

test('menus and welcome texts name commands that exist', () => {
  const menus = Object.values(manifest.contributes.menus).flat();
  for (const { command } of menus) assert.ok(contributed.includes(command), command);
  for (const text of Object.values(strings))
    for (const [, command] of text.matchAll(/\(command:(layerif\.\w+)\)/g))
      assert.ok(contributed.includes(command), command);
});

test('an untrusted workspace cannot choose the program that runs the engine', () => {
  assert.ok(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations.includes('layerif.server.runtime'));
  assert.equal(manifest.contributes.configuration.properties['layerif.server.runtime'].scope, 'machine-overridable');
});

test('tools for chat models are those of the table', () => {
  assert.deepEqual(manifest.contributes.languageModelTools, editorTools(), 'run node scripts/generate-tools.mjs');
});

test('MCP server and task type of the manifest are registered', () => {
  for (const { id } of manifest.contributes.mcpServerDefinitionProviders)
    assert.ok(source.includes(`registerMcpServerDefinitionProvider('${id}'`), id);
  for (const { type } of manifest.contributes.taskDefinitions)
    assert.ok(source.includes(`const TYPE = '${type}'`) && source.includes('registerTaskProvider(TYPE'), type);
});

test('the problem matcher reads what check prints, and nothing else', () => {
  const [pattern] = manifest.contributes.problemMatchers[0].pattern;
  const read = (line: string) => {
    const found = new RegExp(pattern.regexp).exec(line);
    return (
      found && [pattern.file, pattern.line, pattern.column, pattern.severity, pattern.message].map((i) => found[i])
    );
  };
  assert.deepEqual(read('a b/x.layerif.yaml:2:1: unknown key "modle"; did you mean "model"?'), [
    'a b/x.layerif.yaml',
    '2',
    '1',
    undefined,
    'unknown key "modle"; did you mean "model"?',
  ]);
  assert.deepEqual(read('C:\\w\\x.layerif.yaml:10:21: warning: train[:300] asks for more')?.slice(0, 4), [
    'C:\\w\\x.layerif.yaml',
    '10',
    '21',
    'warning',
  ]);
  for (const line of ['x.layerif.yaml: no errors', '2 errors in x.layerif.yaml', '  Trained at 12:30:05: done'])
    assert.equal(read(line), null, line);
});

test('icons of the manifest exist', () => {
  for (const [, file] of manifestText.matchAll(/"icon": "(media\/[^"]+)"/g))
    assert.ok(existsSync(path.join(ROOT, file)), file);
});
