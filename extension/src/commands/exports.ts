/** Export Results…: a chart, a table or all of the page in front as a file, or its scores for another program. */
import * as vscode from 'vscode';
import { pickOne } from '../ask.ts';
import { requests } from '../../../protocol/requests.ts';
import type { ExportForm, ExportItem } from '../../../protocol/webview.ts';
import type { ServerClient } from '../client.ts';
import { saveExport } from '../pageRequests.ts';
import { reportHtml } from '../reportHtml.ts';
import type { ResultsEditor } from '../resultsEditor.ts';
import { saveAs } from '../saving.ts';
import type { Source, TargetParts } from './targets.ts';
import { resultOf } from './targets.ts';

export interface ExportParts extends TargetParts {
  client: ServerClient;
  extensionUri: vscode.Uri;
}

interface Choice extends vscode.QuickPickItem {
  run?: () => Promise<void>;
}

const formNames: Readonly<Record<ExportForm, string>> = {
  svg: 'SVG',
  png: 'PNG',
  csv: 'CSV',
  md: 'Markdown',
  html: 'HTML',
};
const formsOf: Readonly<Record<ExportItem['kind'], readonly ExportForm[]>> = {
  chart: ['svg', 'png'],
  table: ['csv', 'md'],
};

export function registerExportCommand(parts: ExportParts): vscode.Disposable {
  return vscode.commands.registerCommand('layerif.exportResults', async (source: Source) => {
    const page = await pageOf(parts, source);
    if (!page) return;
    const choices = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Window, title: 'LayerIF: looking what can be exported' },
      () => choicesOf(parts, page),
    );
    const chosen = await pickOne(choices, {
      placeHolder: 'What to export',
      matchOnDescription: true,
    });
    await chosen?.run?.();
  });
}

type FrontPage = NonNullable<ResultsEditor['front']>;

/** The page in front; else the chosen result is opened first, since its charts are drawn by its page. */
async function pageOf(parts: ExportParts, source: Source): Promise<FrontPage | null> {
  if (!source && parts.results.front) return parts.results.front;
  const result = await resultOf(parts, source, 'Result to export');
  if (!result) return null;
  await parts.results.open(result.fsPath, { preserveFocus: false });
  await parts.results.becomesVisible(result.fsPath, 10_000);
  return parts.results.front;
}

async function choicesOf(parts: ExportParts, page: FrontPage): Promise<Choice[]> {
  const { failure, items } = await page.list().then(
    (found) => ({ items: found, failure: '' }),
    (error: Error) => ({ items: [], failure: error.message }),
  );
  const drawn = items.flatMap((item, at): Choice[] => [
    ...(item.tab === items[at - 1]?.tab ? [] : [heading(item.tab)]),
    ...formsOf[item.kind].map((form) => ({
      label: `$(${item.kind === 'chart' ? 'graph' : 'table'}) ${item.name} as ${formNames[form]}`,
      run: () => save(parts, page, item, form),
    })),
  ]);
  const whole: Choice = {
    label: '$(file-code) Everything on this page as HTML',
    run: () => save(parts, page, null, 'html'),
  };
  const targets = page.isResult ? await targetChoices(parts, page.uri) : [];
  return [
    ...(failure ? [{ label: `$(warning) Charts and tables cannot be exported: ${failure}` }] : [whole]),
    ...targets,
    ...drawn,
  ];
}

const heading = (label: string): Choice => ({ label, kind: vscode.QuickPickItemKind.Separator });

async function targetChoices({ client }: ExportParts, uri: vscode.Uri): Promise<Choice[]> {
  const { targets } = await client.request(requests.allocationChoices, {});
  const choices = targets.flatMap(({ id, title, kinds }) =>
    (kinds.length > 0 ? kinds : [undefined]).map((kind): Choice => ({
      label: `$(arrow-right) ${id}`,
      description: kind ? `${kind}: ${title}` : title,
      run: () => saveExport(client, uri.fsPath, { type: 'saveExport', params: { to: id, ...(kind ? { kind } : {}) } }),
    })),
  );
  return [heading('For another program'), ...choices];
}

async function save(
  { extensionUri }: ExportParts,
  page: FrontPage,
  item: ExportItem | null,
  form: ExportForm,
): Promise<void> {
  const base = page.uri.path.slice(page.uri.path.lastIndexOf('/') + 1).replace(/\.layerif-\w+\.json$/, '');
  const name = item ? `${base}.${slug(item.tab)}-${slug(item.name)}.${form}` : `${base}.${form}`;
  await saveAs({
    proposed: vscode.Uri.joinPath(page.uri, '..', name),
    filters: { [formNames[form]]: [form] },
    title: `Export as ${formNames[form]}`,
    failure: 'Nothing was exported',
    write: async (target) => {
      const made = await page.make(item?.id ?? '', form);
      const content = form === 'html' ? await report(extensionUri, base, made as string) : made;
      await vscode.workspace.fs.writeFile(target, typeof content === 'string' ? Buffer.from(content) : content);
      return `Exported to ${vscode.workspace.asRelativePath(target)}.`;
    },
  });
}

async function report(extensionUri: vscode.Uri, title: string, markup: string): Promise<string> {
  const file = vscode.Uri.joinPath(extensionUri, 'dist', 'webview', 'results.css');
  const styles = new TextDecoder().decode(await vscode.workspace.fs.readFile(file));
  return reportHtml({ title, styles, markup });
}

/** "Score per layer: sentiment" -> "score-per-layer-sentiment". */
const slug = (text: string) =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 48);
