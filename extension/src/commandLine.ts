/** How the command line that ships with the extension is started: by the editor's own Node. */
import type * as vscode from 'vscode';
import { readSettings } from './client.ts';

export interface Program {
  command: string;
  args: string[];
  env: Record<string, string>;
}

/** @param words of the command line, without the machine's */
export function commandLine(context: vscode.ExtensionContext, words: readonly string[]): Program {
  return {
    command: process.execPath,
    args: [context.asAbsolutePath('dist/cli.cjs'), ...words],
    env: { ELECTRON_RUN_AS_NODE: '1', ORT_DISABLE_TELEMETRY: '1' },
  };
}

/** The settings of the machine as options of a command that computes. */
export function machineWords(): string[] {
  const { device, server } = readSettings();
  return [
    ...(device === 'auto' ? [] : ['--device', device]),
    ...(server.threads > 0 ? ['--threads', String(server.threads)] : []),
    ...(server.maxMemory > 0 ? ['--memory', String(server.maxMemory)] : []),
  ];
}
