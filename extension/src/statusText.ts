/** What the status bar item says, as a table from state to words. No `vscode` here. */
import type { EngineStateParams } from '../../protocol/lsp.ts';
import type { RunState } from './runState.ts';
import { isRunning, percentage } from './runState.ts';
import { experimentName } from './experimentFiles.ts';

export type ServerState = 'stopped' | 'starting' | 'running' | 'failed';

export interface StatusText {
  text: string;
  /** Markdown with command links. */
  tooltip: string;
  severity: 'none' | 'warning' | 'error';
  /** Run when the item is clicked. */
  command: string;
  /** For screen readers: no codicon names. */
  spoken: string;
}

const engineWords: Record<EngineStateParams['state'], string> = {
  stopped: 'not loaded (starts with a run)',
  starting: 'starting',
  idle: 'ready',
  busy: 'computing',
  failed: 'failed',
};

export function statusText(server: ServerState, engine: EngineStateParams, run: RunState | null): StatusText {
  const running = isRunning(run);
  const percent = running ? percentage(run) : null;
  const lines = [`**LayerIF**`, `Language server: ${serverWords[server]}`];
  lines.push(`Engine: ${engineWords[engine.state]}${engine.detail ? ` · ${escapeMarkdown(engine.detail)}` : ''}`);
  if (running)
    lines.push(`Scoring **${escapeMarkdown(experimentName(run.experimentFile))}**: ${escapeMarkdown(run.message)}`);
  const links = running
    ? [
        link('Cancel Run', 'layerif.cancelRun'),
        link('Open Results', 'layerif.openResult'),
        link('Show Output', 'layerif.showOutput'),
      ]
    : [
        link('Score Layers', 'layerif.scoreLayers'),
        link('Show Output', 'layerif.showOutput'),
        link('Restart Server', 'layerif.restartServer'),
      ];
  const tooltip = [...lines, links.join(' · ')].join('\n\n');

  if (server === 'failed' || engine.state === 'failed')
    return {
      text: '$(error) LayerIF',
      tooltip,
      severity: 'error',
      command: 'layerif.showOutput',
      spoken: server === 'failed' ? 'LayerIF: the language server failed' : 'LayerIF: the engine failed',
    };
  if (running) {
    const share = percent === null ? '' : ` ${percent} %`;
    return {
      text: `$(loading~spin) LayerIF${share}`,
      tooltip,
      severity: 'none',
      command: 'layerif.openResult',
      spoken: `LayerIF: scoring${share}`,
    };
  }
  if (server === 'starting')
    return {
      text: '$(loading~spin) LayerIF',
      tooltip,
      severity: 'none',
      command: 'layerif.showOutput',
      spoken: 'LayerIF: starting',
    };
  if (server === 'stopped')
    return {
      text: '$(circle-slash) LayerIF',
      tooltip,
      severity: 'none',
      command: 'layerif.restartServer',
      spoken: 'LayerIF: stopped',
    };
  return {
    text: '$(layers) LayerIF',
    tooltip,
    severity: 'none',
    command: 'layerif.scoreLayers',
    spoken: 'LayerIF: ready',
  };
}

const serverWords: Record<ServerState, string> = {
  stopped: 'stopped',
  starting: 'starting',
  running: 'running',
  failed: 'failed; see the output',
};

const link = (title: string, command: string) => `[${title}](command:${command})`;
const escapeMarkdown = (text: string) => text.replace(/[\\`*_{}[\]()#+\-!|<>~]/g, '\\$&');

/** "3 min ago", for lists. `now` and `then` in milliseconds. */
export function ago(then: number, now: number): string {
  const seconds = Math.max(0, (now - then) / 1000);
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  const days = Math.floor(seconds / 86_400);
  return days === 1 ? 'yesterday' : `${days} days ago`;
}
