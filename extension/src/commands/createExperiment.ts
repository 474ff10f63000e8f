/**
 * Create Experiment: model, data, and the columns for text and answer, each chosen from what is there or skipped; then
 * a saved file that can be scored. From the explorer, the model or the data is known already.
 */
import * as vscode from 'vscode';
import { typeText } from '../ask.ts';
import type { DescribedColumn, DescribedData } from '../../../protocol/dataDescription.ts';
import { requests } from '../../../protocol/requests.ts';
import type { ServerClient } from '../client.ts';
import { dataGlob, isDataFile } from '../dataFiles.ts';
import { EXCLUDE_GLOB, isInRun } from '../experimentFiles.ts';
import { freeUri } from '../freeName.ts';
import { findModels, modelOf } from '../modelFiles.ts';
import { experimentStem, newExperiment } from '../newExperiment.ts';
import { answerColumns, textColumns } from '../suggestedColumns.ts';
import { askStep, BACK } from './steps.ts';
import type { Choice } from './steps.ts';

const TITLE = 'Create Experiment';
const STEPS = 4;
const MOST = 500;
const HUB_ID = /^[\w.-]+\/[\w.-]+$/;

/** Null = skipped, undefined = not asked yet. A model is a place on a disk or a hub id. */
interface Answers {
  model?: vscode.Uri | string | null;
  data?: { uri: vscode.Uri; described: DescribedData } | null;
  text?: string | null;
  answer?: string | null;
}

/** What a question comes back with: go on, go back, or leave. */
type Outcome = 'next' | 'back' | 'leave';

export function registerCreateCommand(client: ServerClient): vscode.Disposable {
  return vscode.commands.registerCommand('layerif.createExperiment', async (source?: vscode.Uri) => {
    const answers: Answers = {};
    try {
      if (source instanceof vscode.Uri && source.scheme === 'file') {
        if (isDataFile(source.path)) answers.data = await describe(client, source);
        else answers.model = modelOf(source);
      }
      if (await ask(client, answers)) await write(answers);
    } catch (error) {
      void vscode.window.showErrorMessage(`No experiment was created: ${(error as Error).message}`);
    }
  });
}

type Question = (client: ServerClient, answers: Answers, step: number) => Promise<Outcome>;

const questions: readonly { asked: (answers: Answers) => boolean; put: Question }[] = [
  { asked: () => true, put: askModel },
  { asked: () => true, put: askData },
  { asked: ({ data }) => Boolean(data), put: askText },
  { asked: ({ data, text }) => Boolean(data && text), put: askAnswer },
];

/** @returns whether the user went through to the end */
async function ask(client: ServerClient, answers: Answers): Promise<boolean> {
  // Given by the explorer: not asked, also on the way back.
  const known = [answers.model !== undefined, answers.data !== undefined, false, false];
  let way = 1;
  for (let at = 0; at < questions.length; at += way) {
    if (at < 0) return false;
    const { asked, put } = questions[at]!;
    if (known[at] || !asked(answers)) continue;
    const outcome = await put(client, answers, at + 1);
    if (outcome === 'leave') return false;
    way = outcome === 'back' ? -1 : 1;
  }
  return true;
}

async function askModel(_client: ServerClient, answers: Answers, step: number): Promise<Outcome> {
  return askPlace(
    step,
    'Model: a folder with *.safetensors, a .gguf or a .onnx file',
    await findModels(),
    { endings: ['onnx', 'gguf', 'safetensors'], hub: true },
    (place) => {
      answers.model = place instanceof vscode.Uri ? modelOf(place) : place;
    },
  );
}

async function askData(client: ServerClient, answers: Answers, step: number): Promise<Outcome> {
  const uris = (await vscode.workspace.findFiles(dataGlob, EXCLUDE_GLOB, MOST))
    .filter(({ path }) => isDataFile(path) && !isInRun(path))
    .sort((a, b) => a.path.localeCompare(b.path, undefined, { numeric: true }));
  return askPlace(step, 'Data: a file with a row for each sample', uris, {}, async (place) => {
    answers.data = place instanceof vscode.Uri ? await describe(client, place) : null;
  });
}

/**
 * A place that was found, another one, or none; asked again where a dialog is left or the place cannot be taken.
 * @param take gets a place on a disk, a hub id, or null for a step that is skipped; what it throws is shown
 */
async function askPlace(
  step: number,
  placeholder: string,
  found: readonly vscode.Uri[],
  { endings, hub = false }: { endings?: string[]; hub?: boolean },
  take: (place: vscode.Uri | string | null) => Promise<void> | void,
): Promise<Outcome> {
  const items: Choice<vscode.Uri | 'file' | 'folder' | 'hub' | null>[] = [
    ...found.map((uri) => ({ label: vscode.workspace.asRelativePath(uri), value: uri })),
    ...separated(found.length > 0, [
      { label: '$(file) Browse for a File\u2026', value: 'file' as const },
      { label: '$(folder) Browse for a Folder\u2026', value: 'folder' as const },
      ...(hub
        ? [
            {
              label: '$(cloud) Hugging Face Id\u2026',
              detail: 'Downloaded when it is scored',
              value: 'hub' as const,
            },
          ]
        : []),
      { label: '$(debug-step-over) Skip', detail: 'An example stands there', value: null },
    ]),
  ];
  for (;;) {
    const choice = await askStep({ title: TITLE, step, steps: STEPS, placeholder, items });
    if (choice === BACK) return 'back';
    if (choice === undefined) return 'leave';
    const { value } = choice;
    const place =
      value === 'hub'
        ? await askHubId()
        : value === 'file' || value === 'folder'
          ? await browse(value, endings)
          : value;
    if (place === undefined) continue;
    try {
      await take(place);
      return 'next';
    } catch (error) {
      void vscode.window.showErrorMessage((error as Error).message);
    }
  }
}

async function askHubId(): Promise<string | undefined> {
  return typeText({
    title: TITLE,
    prompt: 'Id of a model on the Hugging Face hub',
    placeHolder: 'owner/name',
    validateInput: (text) => (HUB_ID.test(text.trim()) ? null : 'An id has the form owner/name.'),
  });
}

function askText(_client: ServerClient, answers: Answers, step: number): Promise<Outcome> {
  const columns = textColumns(answers.data!.described.columns);
  return askColumn(answers, 'text', step, columns, 'Column with the text', 'Write the prompt yourself');
}

function askAnswer(_client: ServerClient, answers: Answers, step: number): Promise<Outcome> {
  const columns = answerColumns(answers.data!.described.columns, answers.text!);
  return askColumn(
    answers,
    'answer',
    step,
    columns,
    'Column with the answer',
    'The text itself is scored, token by token',
  );
}

async function askColumn(
  answers: Answers,
  key: 'text' | 'answer',
  step: number,
  columns: readonly DescribedColumn[],
  placeholder: string,
  skipped: string,
): Promise<Outcome> {
  const items: Choice<string | null>[] = [
    ...columns.map((column) => ({
      label: column.name,
      description: column.labels ? `${column.labels.length} different values` : '',
      detail: column.first === '' ? '(empty in the first row)' : column.first.replace(/\s+/g, ' '),
      value: column.name,
    })),
    ...separated(columns.length > 0, [{ label: '$(debug-step-over) Skip', detail: skipped, value: null }]),
  ];
  const choice = await askStep({
    title: TITLE,
    step,
    steps: STEPS,
    placeholder: `${placeholder} (first row shown)`,
    items,
  });
  if (choice === BACK) return 'back';
  if (choice === undefined) return 'leave';
  answers[key] = choice.value ?? null;
  return 'next';
}

function separated<T>(after: boolean, items: Choice<T>[]): Choice<T>[] {
  return after ? [{ label: '', kind: vscode.QuickPickItemKind.Separator }, ...items] : items;
}

async function browse(what: 'file' | 'folder', endings?: string[]): Promise<vscode.Uri | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    title: TITLE,
    canSelectFiles: what === 'file',
    canSelectFolders: what === 'folder',
    openLabel: 'Take This',
    ...(what === 'file' && endings ? { filters: { Models: endings } } : {}),
  });
  return chosen?.[0];
}

async function describe(client: ServerClient, uri: vscode.Uri): Promise<{ uri: vscode.Uri; described: DescribedData }> {
  const reading = {
    location: vscode.ProgressLocation.Window,
    title: `LayerIF: reading ${vscode.workspace.asRelativePath(uri)}`,
  };
  const { data, error } = await vscode.window.withProgress(reading, () =>
    client.request(requests.describeData, { path: uri.fsPath }),
  );
  if (!data) throw new Error(error?.message ?? 'the language server gave no answer');
  return { uri, described: data };
}

/**
 * Writes the file into the workspace folder of the data (else of the model, else the first; without one beside the
 * data) and opens it.
 */
async function write({ model, data, text, answer }: Answers): Promise<void> {
  const places = [data?.uri, model instanceof vscode.Uri ? model : undefined].filter((uri) => uri !== undefined);
  const folder =
    places.map((uri) => vscode.workspace.getWorkspaceFolder(uri)?.uri).find(Boolean) ??
    vscode.workspace.workspaceFolders?.[0]?.uri ??
    (places[0] && vscode.Uri.joinPath(places[0], '..')) ??
    (await browse('folder'));
  if (!folder) return;
  const parts = {
    model: model instanceof vscode.Uri ? pathFrom(folder, model) : (model ?? null),
    data: data ? { path: pathFrom(folder, data.uri), described: data.described } : null,
    text: text ?? null,
    answer: answer ?? null,
  };
  const file = await freeUri(folder, experimentStem(parts), '.layerif.yaml');
  await vscode.workspace.fs.writeFile(file, new TextEncoder().encode(newExperiment(parts)));
  await vscode.window.showTextDocument(file, { preview: false });
}

/** Relative where the place lies below the folder, so that the folder can be moved. */
function pathFrom(folder: vscode.Uri, { path, fsPath }: vscode.Uri): string {
  const root = folder.path.replace(/\/$/, '');
  return path.startsWith(`${root}/`) ? `./${path.slice(root.length + 1)}` : fsPath;
}
