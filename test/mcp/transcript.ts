/** A session as text, with what differs from run to run replaced by a word for it. */
import type { Connected } from './client.ts';

/** In this order. */
const replaced: [pattern: RegExp, word: string][] = [
  [/"(jsonrpc|version)":"\d[^"]*"/g, '"$1":"VERSION"'],
  [/\d{8}T\d{6}Z-[0-9a-f]{6}/g, 'RUN'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/g, 'DATE'],
  [/"[0-9a-f]{16}"/g, '"WORD"'],
  [/\b\d+(\.\d+)? (s|ms|min|h|GiB|MiB|KiB)\b/g, 'N $2'],
  [/[-\u2212]?\b\d+\.\d+(e[-+]?\d+)?\b|\b\d+e[-+]?\d+\b/g, 'N'],
];

export function transcript(messages: Connected['messages'], folder: string): string {
  const lines: string[] = [];
  let progress = false;
  for (const { from, message } of messages) {
    const isProgress = 'method' in message && message.method === 'notifications/progress';
    // How many there are is a matter of speed.
    if (isProgress && progress) continue;
    progress = isProgress;
    const text = JSON.stringify(isProgress ? { method: message.method, params: {} } : message, (key, value: unknown) =>
      // The test holds them to the table.
      key === 'tools' && Array.isArray(value) ? `(${value.length})` : value,
    );
    lines.push(`${from === 'client' ? '->' : '<-'} ${words(text, folder)}`);
  }
  return `${lines.join('\n')}\n`;
}

function words(text: string, folder: string): string {
  const chart = text.replace(/"structuredContent":\{"result":\{.*\},"file"/, '"structuredContent":{"result":{},"file"');
  return replaced.reduce((own, [pattern, word]) => own.replace(pattern, word), chart.replaceAll(folder, 'FOLDER'));
}
