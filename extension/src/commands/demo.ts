/**
 * Try the Demo: a folder with an experiment on two small datasets; its model comes from the hub when it is scored, or
 * lies here already.
 */
import * as vscode from 'vscode';
import { DEMO_EXPERIMENT, DEMO_HUB_ID, demoExperiment, demoFiles, isDemoModel } from '../demoFiles.ts';
import { freeUri } from '../freeName.ts';
import { findModels } from '../modelFiles.ts';

const FOLDER = 'layerif-demo';

export function registerDemoCommand(extensionUri: vscode.Uri): vscode.Disposable {
  return vscode.commands.registerCommand('layerif.tryDemo', async () => {
    try {
      const parent = vscode.workspace.workspaceFolders?.[0]?.uri ?? (await chooseParent());
      if (!parent) return;
      const folder = await freeUri(parent, FOLDER);
      const model = (await findModels()).find(({ path }) => isDemoModel(path));
      await copy(vscode.Uri.joinPath(extensionUri, 'examples'), folder, model?.fsPath ?? DEMO_HUB_ID);
      await vscode.window.showTextDocument(vscode.Uri.joinPath(folder, DEMO_EXPERIMENT), { preview: false });
      if (model) return;
      const choice = await vscode.window.showInformationMessage(
        `The demo asks which layers judge a sentence, and which recall a capital. Its model ${DEMO_HUB_ID} (about 270 MB) is downloaded from Hugging Face when it is scored; you can cancel, and it goes on where it was.`,
        'Score Layers',
      );
      if (choice)
        await vscode.commands.executeCommand('layerif.scoreLayers', vscode.Uri.joinPath(folder, DEMO_EXPERIMENT));
    } catch (error) {
      void vscode.window.showErrorMessage(`The demo was not made: ${(error as Error).message}`);
    }
  });
}

async function chooseParent(): Promise<vscode.Uri | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    title: `Where the folder ${FOLDER} is made`,
    canSelectFiles: false,
    canSelectFolders: true,
    openLabel: 'Make the Demo Here',
  });
  return chosen?.[0];
}

async function copy(from: vscode.Uri, folder: vscode.Uri, model: string): Promise<void> {
  for (const file of demoFiles)
    await vscode.workspace.fs.copy(vscode.Uri.joinPath(from, file), vscode.Uri.joinPath(folder, file));
  const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.joinPath(from, DEMO_EXPERIMENT)));
  await vscode.workspace.fs.writeFile(
    vscode.Uri.joinPath(folder, DEMO_EXPERIMENT),
    new TextEncoder().encode(demoExperiment(text, model)),
  );
}
