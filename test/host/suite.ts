/**
 * In VS Code's extension host, through its API: what needs no eyes. The workspace is the one of `writeTinyWorkspace`.
 * What a user sees and clicks is tested in `test/e2e/`, on the installed VSIX.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { Result } from '../../protocol/result.ts';
import { editorInputs, editorToolName, inputSchema, tools } from '../../protocol/tools.ts';

const folder = () => vscode.workspace.workspaceFolders![0].uri.fsPath;
const file = (...path: string[]) => vscode.Uri.file(join(folder(), ...path));

/** Asks again until the answer is there: servers answer when they are up. */
async function until<T>(what: string, ask: () => T | Promise<T>, milliseconds = 20_000): Promise<NonNullable<T>> {
  const end = Date.now() + milliseconds;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`${what}: nothing within ${milliseconds} ms`);
    await delay(100);
  }
}

/** The lenses of a file, with their texts; VS Code asks only for documents that are open. */
async function lensTitles(uri: vscode.Uri): Promise<string[]> {
  await vscode.workspace.openTextDocument(uri);
  const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', uri, 100);
  return lenses.map((lens) => lens.command?.title ?? '');
}

async function write(name: string, text: string): Promise<vscode.TextDocument> {
  writeFileSync(file(name).fsPath, text);
  return vscode.workspace.openTextDocument(file(name));
}

const experimentText = () => readFileSync(file('tiny.layerif.yaml').fsPath, 'utf8');

suite('LayerIF in the extension host', () => {
  const extension = () => vscode.extensions.getExtension('layerif.layerif')!;

  test('the extension is active, because the workspace has an experiment', async () => {
    console.log(`VS Code ${vscode.version}, Node ${process.versions.node}`);
    await until('activation', () => extension().isActive);
  });

  test('every command of the manifest is registered', async () => {
    const { contributes } = extension().packageJSON as {
      contributes: { commands: { command: string; title: string }[] };
    };
    const names = contributes.commands.map(({ command }) => command);
    for (const name of ['scoreLayers', 'scoreTask', 'scoreDataset', 'cancelRun', 'restartServer', 'showOutput'])
      assert.ok(names.includes(`layerif.${name}`), name);
    const registered = await vscode.commands.getCommands(true);
    assert.deepEqual(
      names.filter((name) => !registered.includes(name)),
      [],
    );
    assert.ok(
      contributes.commands.every(({ title }) => !title.includes('%')),
      'a title lacks its text in package.nls.json',
    );
  });

  test('a wrong key is underlined where it stands, with the right word', async () => {
    const document = await write(
      'wrong-key.layerif.yaml',
      experimentText().replace('doc_to_target: sentiment', 'doc_to_targett: sentiment'),
    );
    const [diagnostic] = await until('diagnostics', () => {
      const found = vscode.languages
        .getDiagnostics(document.uri)
        .filter(({ message }) => message.includes('doc_to_targett'));
      return found.length ? found : null;
    });
    assert.match(diagnostic.message, /did you mean.*doc_to_target/i);
    assert.equal(diagnostic.severity, vscode.DiagnosticSeverity.Error);
    assert.equal(document.getText(diagnostic.range), 'doc_to_targett');
  });

  test('a column that is not there is reported with those that are', async () => {
    const document = await write(
      'wrong-column.layerif.yaml',
      experimentText().replace('doc_to_target: capital', 'doc_to_target: kapital'),
    );
    const message = await until('diagnostics', () =>
      vscode.languages
        .getDiagnostics(document.uri)
        .map((one) => one.message)
        .join('\n'),
    );
    assert.match(message, /kapital/);
    assert.match(message, /country/);
  });

  test('code lenses say what they do', async () => {
    const uri = file('tiny.layerif.yaml');
    const titles = await until('code lenses', async () => {
      const found = await lensTitles(uri);
      return found.length >= 5 ? found : null;
    });
    const text = titles.join('\n');
    assert.match(text, /Score Layers$/m);
    assert.match(text, /Score This Task · 8 train × 4 validation/);
    assert.match(text, /Score Layers with This Dataset · 12 rows/);
  });

  test('completion offers keys and columns, hover explains a key', async () => {
    const uri = file('tiny.layerif.yaml');
    const document = await vscode.workspace.openTextDocument(uri);
    const at = (needle: string, shift: number) => document.positionAt(document.getText().indexOf(needle) + shift);
    const offered = await vscode.commands.executeCommand<vscode.CompletionList>(
      'vscode.executeCompletionItemProvider',
      uri,
      at('doc_to_target: sentiment', 'doc_to_target: '.length),
    );
    const labels = offered.items.map(({ label }) => (typeof label === 'string' ? label : label.label));
    assert.ok(labels.includes('review') && labels.includes('sentiment'), labels.join(', '));
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
      'vscode.executeHoverProvider',
      uri,
      at('estimator:', 2),
    );
    const text = hovers
      .flatMap(({ contents }) => contents.map((part) => (typeof part === 'string' ? part : part.value)))
      .join('\n');
    assert.match(text, /datainf/i);
  });

  test('Score Layers writes a complete result of every layer and task', async function () {
    this.timeout(120_000);
    await vscode.commands.executeCommand('layerif.scoreLayers', file('tiny.layerif.yaml'));
    const runs = join(folder(), 'runs', 'tiny');
    const [run] = readdirSync(runs).filter((name) => !name.startsWith('.'));
    const result = JSON.parse(readFileSync(join(runs, run, 'tiny.layerif-result.json'), 'utf8')) as Result;
    assert.equal(result.status, 'complete');
    assert.deepEqual(
      result.tasks.map(({ task, layers }) => [task, layers.length]),
      [
        ['sentiment', 3],
        ['capital', 3],
      ],
    );
    assert.ok(result.tasks[0].layers.every(({ score }) => Number.isFinite(score) && score > 0));
    assert.notDeepEqual(result.tasks[0].layers, result.tasks[1].layers);
  });

  test('a result file opens in the results editor', async () => {
    const runs = join(folder(), 'runs', 'tiny');
    const [run] = readdirSync(runs);
    await vscode.commands.executeCommand('vscode.open', file('runs', 'tiny', run, 'tiny.layerif-result.json'));
    const tab = await until('tab', () => {
      const { input } = vscode.window.tabGroups.activeTabGroup.activeTab ?? {};
      return input instanceof vscode.TabInputCustom ? input : null;
    });
    assert.equal(tab.viewType, 'layerif.results');
  });

  test('tools for chat models: all of the table, answered by the server', async () => {
    const names = tools.map(({ id }) => editorToolName(id));
    const known = await until('tools', () => {
      const found = vscode.lm.tools.filter(({ name }) => names.includes(name));
      return found.length === names.length ? found : null;
    });
    for (const { name, inputSchema: schema } of known)
      assert.deepEqual(schema, inputSchema(editorInputs(tools.find(({ id }) => editorToolName(id) === name)!)), name);
    const ask = async (id: string, input: object) => {
      const { content } = await vscode.lm.invokeTool(id, { input, toolInvocationToken: undefined });
      return content.map((part) => (part instanceof vscode.LanguageModelTextPart ? part.value : '')).join('');
    };
    const [run] = readdirSync(join(folder(), 'runs', 'tiny'));
    const result = join('runs', 'tiny', run, 'tiny.layerif-result.json');
    assert.match(await ask('layerif_list_runs', {}), /tiny\.layerif-result\.json: .* sentiment \(highest layers/);
    assert.match(await ask('layerif_explain_layer', { result, layer: 0 }), /^Layer 0 of model \(3 layers\)/);
    assert.match(await ask('layerif_show_chart', { result }), /Highest: layer/);
    await assert.rejects(
      ask('layerif_explain_layer', { result, layer: 9 }),
      /no score of layer 9: its layers are 0 to 2/,
    );
    await assert.rejects(ask('layerif_show_chart', { result: '/etc/passwd' }), /outside the folders/);
  });

  test('tasks: check and score of every experiment; messages become problems', async function () {
    this.timeout(60_000);
    const document = await write(
      'wrong-task.layerif.yaml',
      experimentText().replace('doc_to_target: sentiment', 'doc_to_targett: sentiment'),
    );
    const found = await until('tasks', async () => {
      const all = await vscode.tasks.fetchTasks({ type: 'layerif' });
      return all.some(({ name }) => name === 'check wrong-task') ? all : null;
    });
    const names = found.map(({ name }) => name);
    for (const name of ['check tiny', 'score tiny', 'score wrong-task']) assert.ok(names.includes(name), names.join());
    const ended = new Promise<number | undefined>((done) =>
      vscode.tasks.onDidEndTaskProcess(({ execution, exitCode }) => {
        if (execution.task.name === 'check wrong-task') done(exitCode);
      }),
    );
    await vscode.tasks.executeTask(found.find(({ name }) => name === 'check wrong-task')!);
    assert.equal(await ended, 2);
    // The language server says the same; the task's problem is that of another owner.
    const problem = await until('problem', () => {
      const own = vscode.languages.getDiagnostics(document.uri).filter(({ message }) => message.includes('targett'));
      return own.length > 1 ? own[1] : null;
    });
    assert.deepEqual([problem.severity, problem.source], [vscode.DiagnosticSeverity.Error, 'layerif']);
    assert.equal(document.lineAt(problem.range.start.line).text.trim(), 'doc_to_targett: sentiment');
  });

  test('the server can be restarted, and answers again', async () => {
    await vscode.commands.executeCommand('layerif.restartServer');
    await until('code lenses', async () => (await lensTitles(file('tiny.layerif.yaml'))).length >= 5);
  });

  test('a damaged result file does not break the editor', async () => {
    mkdirSync(file('damaged').fsPath, { recursive: true });
    const uri = file('damaged', 'x.layerif-result.json');
    writeFileSync(uri.fsPath, '{ "format": "layerif-result", "vers');
    await vscode.commands.executeCommand('vscode.open', uri);
    await until('tab', () =>
      vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs).some(({ label }) => label.includes('x.layerif-result')),
    );
  });
});
