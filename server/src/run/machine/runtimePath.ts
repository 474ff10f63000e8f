/**
 * Which Node runs the engine: the one that was set, else this process when it is plain Node, else a fitting `node` on
 * PATH, else Electron as Node (its heap is limited to 4 GB and it copies every output).
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';

const MINIMUM = [20, 19] as const;

export interface EngineRuntime {
  path: string;
  /** Shown to the user: "node 20.20.2". */
  label: string;
  env: Record<string, string>;
}

/** @throws LayerifError `badRequest` when the path that was set is no fitting Node. */
export function findRuntime(wanted?: string): EngineRuntime {
  if (wanted) {
    const version = versionOf(wanted);
    if (!version) {
      throw new LayerifError(
        'badRequest',
        `layerif.server.runtime "${wanted}" is not a Node of version ${MINIMUM.join('.')} or newer; set the path of one, or leave it empty`,
      );
    }
    return { path: wanted, label: `node ${version}`, env: {} };
  }
  if (!process.versions.electron) return { path: process.execPath, label: `node ${process.versions.node}`, env: {} };
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    const candidate = path.join(folder, name);
    const version = folder && fs.existsSync(candidate) ? versionOf(candidate) : null;
    if (version) return { path: candidate, label: `node ${version}`, env: {} };
  }
  return {
    path: process.execPath,
    label: `Electron's Node ${process.versions.node} (no node ${MINIMUM.join('.')} or newer on PATH)`,
    env: { ELECTRON_RUN_AS_NODE: '1' },
  };
}

function versionOf(program: string): string | null {
  try {
    const text = execFileSync(program, ['--version'], {
      encoding: 'utf8',
      timeout: 5000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const match = /^v(\d+)\.(\d+)\.\d+/.exec(text.trim());
    if (!match) return null;
    const [major, minor] = [Number(match[1]), Number(match[2])];
    return major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1]) ? text.trim().slice(1) : null;
  } catch {
    return null;
  }
}
