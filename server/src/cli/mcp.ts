/** `layerif mcp FOLDER...`: serves runs and scoring to the chat of an agent, on standard input and output. */
import path from 'node:path';
import { machineOptions } from './options.ts';
import type { Command } from './types.ts';

export const mcp: Command = {
  name: 'mcp',
  argument: 'FOLDER',
  several: true,
  without: '',
  summary: 'serve scoring and results to an agent by the Model Context Protocol, on standard input and output',
  details:
    'FOLDER are the folders whose files may be read and written; without any, those that the client names as its roots, else the current one.\n' +
    'The tools are listed in docs/agents.md. A run starts only after a person has agreed to its time and memory.\n' +
    'Standard output carries the protocol alone. It ends when the client closes standard input.',
  options: [...machineOptions],
  cooperative: true,

  async run(argument, options, terminal) {
    // Loaded here: other commands need none of it.
    const { serveMcp } = await import('../mcp/server.ts');
    await Promise.race([
      serveMcp({
        folders: [argument, ...options.more].filter(Boolean).map((folder) => path.resolve(terminal.baseDir, folder)),
        fallback: terminal.baseDir,
        machine: options.machine,
      }),
      new Promise<void>((resolve) => terminal.signal.addEventListener('abort', () => resolve(), { once: true })),
    ]);
    return 0;
  },
};
