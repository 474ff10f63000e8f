/**
 * The extension host side of LayerIF: wires the language server, the status bar, the views, the results editor and the
 * commands. Nothing is computed here and no work starts by itself: opening a workspace starts at most the language
 * server, which is plain JavaScript; models are loaded only by a command.
 */
import * as vscode from 'vscode';
import { AnalysisView } from './analysisView.ts';
import { ServerClient } from './client.ts';
import { ComparisonEditor } from './comparisonEditor.ts';
import { registerChatTools } from './chatTools.ts';
import { registerCompareCommand } from './commands/compare.ts';
import { registerCreateCommand } from './commands/createExperiment.ts';
import { registerDemoCommand } from './commands/demo.ts';
import { registerDecisionCommands } from './commands/decisions.ts';
import { registerEstimateCommand } from './commands/estimate.ts';
import { registerInspectCommand } from './commands/inspect.ts';
import { registerDeviceCommands } from './commands/devices.ts';
import { registerLayerScoreCommands } from './commands/layerScores.ts';
import { registerPruningCommands } from './commands/pruning.ts';
import { registerExportCommand } from './commands/exports.ts';
import { registerResultCommands } from './commands/results.ts';
import { registerAddSamples } from './commands/addSamples.ts';
import { registerRunCommands } from './commands/runs.ts';
import { registerScoreCommands } from './commands/score.ts';
import { registerServerCommands } from './commands/server.ts';
import { registerStatisticsCommands } from './commands/statistics.ts';
import { registerWithoutMarkedCommand } from './commands/writeWithoutMarked.ts';
import { registerTrustCommands } from './commands/trust.ts';
import { isExperimentFile } from './experimentFiles.ts';
import { ExperimentsView, findExperiments } from './experimentsView.ts';
import { InspectView } from './inspectView.ts';
import { LayersView } from './layersView.ts';
import { ModelLayersEditor } from './modelLayersEditor.ts';
import { registerMcpServer } from './mcpServer.ts';
import { PredictView } from './predictView.ts';
import { openWhenWritten } from './openLive.ts';
import { ResultsEditor } from './resultsEditor.ts';
import { RunLenses } from './runLenses.ts';
import { RunList } from './runList.ts';
import { RowMarksView } from './rowMarksView.ts';
import { RunMarks } from './runMarks.ts';
import { RunsView } from './runsView.ts';
import { RunTracker } from './runTracker.ts';
import { registerTasks } from './scoreTasks.ts';
import { createStatus } from './status.ts';
import { TrustStore } from './trustStore.ts';

let client: ServerClient | null = null;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const output = vscode.window.createOutputChannel('LayerIF', { log: true });
  const server = new ServerClient(context, output);
  client = server;
  const runs = new RunTracker(server);
  const marks = new RunMarks(context.workspaceState);
  const list = new RunList(marks);
  const trust = new TrustStore(context.workspaceState);
  const results = new ResultsEditor(context.extensionUri, server, runs, trust);
  const inspecting = new InspectView(context.extensionUri, server);
  const predictions = new PredictView(context.extensionUri, server);
  const analyses = new AnalysisView(context.extensionUri, server);
  const rowMarks = new RowMarksView(server, list);
  const longWork = { client: server, runs, results, list, trust, output };
  context.subscriptions.push(
    output,
    runs,
    list,
    marks,
    trust,
    results,
    runs.onChange((run) => {
      if (run?.end) list.refresh();
    }),
    createStatus(server, runs),
    openWhenWritten(results, runs),
    new LayersView(context.extensionUri, server, runs, list, results),
    new RunsView(runs, list),
    new ExperimentsView(server),
    registerScoreCommands({ client: server, runs, results, output }),
    registerChatTools({ client: server, runs, results, output }),
    registerMcpServer(context),
    registerTasks(context),
    registerEstimateCommand({ client: server, runs, results, output }),
    new RunLenses(runs, list),
    registerServerCommands(server, runs, output),
    registerDeviceCommands(server, output),
    registerResultCommands(results, list, runs),
    registerExportCommand({ client: server, results, list, extensionUri: context.extensionUri }),
    registerAddSamples({ client: server, runs, results, output, list }),
    registerRunCommands({ client: server, runs, results, output, list, marks }),
    registerCreateCommand(server),
    registerDemoCommand(context.extensionUri),
    new ComparisonEditor(context.extensionUri),
    new ModelLayersEditor(context.extensionUri, server),
    registerTrustCommands(longWork),
    registerLayerScoreCommands(longWork),
    registerPruningCommands(longWork),
    registerCompareCommand({ client: server, results, list, extensionUri: context.extensionUri }),
    registerDecisionCommands({ results, list }),
    inspecting,
    registerInspectCommand(inspecting),
    predictions,
    analyses,
    rowMarks,
    registerWithoutMarkedCommand(server, rowMarks),
    registerStatisticsCommands(predictions, analyses),
  );

  const start = () => server.start().catch((error: Error) => output.error(error.message));
  const experiments = await findExperiments();
  void vscode.commands.executeCommand('setContext', 'layerif.hasExperiment', experiments.length > 0);
  const isOpen = vscode.workspace.textDocuments.some((document) => isExperimentFile(document.uri.path));
  if (experiments.length > 0 || isOpen) void start();
  else
    context.subscriptions.push(
      vscode.workspace.onDidOpenTextDocument((document) => {
        if (isExperimentFile(document.uri.path)) void start();
      }),
    );
}

export async function deactivate(): Promise<void> {
  await client?.dispose();
  client = null;
}
