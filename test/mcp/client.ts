/** The official SDK's client on a real `layerif mcp` process, with everything that crosses the pipe kept. */
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import type { ClientOptions, JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const entry = process.env.LAYERIF_CLI ?? fileURLToPath(new URL('../../server/src/cli/cliMain.ts', import.meta.url));

export interface Connected {
  client: Client;
  /** In the order in which they crossed. */
  messages: { from: 'client' | 'server'; message: JSONRPCMessage }[];
  /** What the server said on standard error. */
  stderr: () => string;
}

/**
 * @param context of the test, at whose end the process ends
 * @param folders words behind `layerif mcp`
 */
export async function connect(
  context: { after(end: () => Promise<void>): void },
  folders: readonly string[],
  cwd: string,
  options: ClientOptions = {},
  prepare: (client: Client) => void = () => undefined,
): Promise<Connected> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', entry, 'mcp', ...folders, '--device', 'cpu', '--threads', '1'],
    cwd,
    env: { ...(process.env as Record<string, string>) },
    stderr: 'pipe',
  });
  let stderr = '';
  transport.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const messages: Connected['messages'] = [];
  const client = new Client({ name: 'layerif-test', version: '1' }, options);
  prepare(client);
  context.after(() => client.close());
  await client.connect(recorded(transport, messages));
  return { client, messages, stderr: () => stderr };
}

/** The same transport, which also keeps what it carries. */
function recorded(transport: StdioClientTransport, messages: Connected['messages']): Transport {
  const send = transport.send.bind(transport);
  transport.send = (message) => {
    messages.push({ from: 'client', message });
    return send(message);
  };
  let listener: Transport['onmessage'];
  Object.defineProperty(transport, 'onmessage', {
    get: () => listener,
    set: (listen: NonNullable<Transport['onmessage']>) => {
      listener = (message, extra) => {
        messages.push({ from: 'server', message });
        listen(message, extra);
      };
    },
  });
  return transport;
}

/** The first text of an answer. */
export function textOf(answer: { content: readonly { type: string }[] }): string {
  const part = answer.content.find(({ type }) => type === 'text') as { text: string } | undefined;
  return part?.text ?? '';
}
