/** Every file of the extension that sends a request which needs a trusted workspace asks for trust first. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { does } from '../../server/src/lsp/workspaceTrust.ts';

const root = fileURLToPath(new URL('../../extension/src/', import.meta.url));

test('commands that run or download are behind the guard', () => {
  const needing = Object.entries(does).flatMap(([name, reason]) => (reason === null ? [] : [name]));
  const senders = fs
    .readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ name, text: fs.readFileSync(path.join(root, name), 'utf8') }))
    .filter(({ text }) => needing.some((name) => new RegExp(`requests\\.${name}\\b`).test(text)));
  assert.deepEqual(
    senders.map(({ name }) => name.replaceAll('\\', '/')).sort(),
    [
      'chatTools.ts',
      'commands/devices.ts',
      'commands/estimate.ts',
      'commands/layerScores.ts',
      'commands/pruning.ts',
      'commands/score.ts',
      'commands/trust.ts',
    ],
    'a new file that starts work: see that it asks first, then add it here',
  );
  const asks = /await mayRun\(|if \(!isTrusted\(/g;
  // As many questions as commands that start work.
  const questions = senders.map(({ name, text }) => [path.basename(name), text.match(asks)?.length ?? 0]);
  assert.deepEqual(Object.fromEntries(questions), {
    'chatTools.ts': 1,
    'devices.ts': 2,
    'estimate.ts': 1,
    'layerScores.ts': 1,
    'pruning.ts': 1,
    'score.ts': 1,
    'trust.ts': 2,
  });
});
