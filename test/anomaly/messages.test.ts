/** A short run of the sweep (messages.ts) over every kind of file: what is refused is refused in good words. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import { inputs } from './inputs.ts';
import { complaint, sweep } from './messages.ts';

const engine = new EnginePool();
after(() => engine.dispose());

/** Of the damages those that differ most; all of them, and random ones, are tried by the command. */
const only = new Set(['nothing', 'missing', 'empty', 'cut at 0.5', 'the text []']);
/** What only a run of the model reads to the end; all else is told by what stands before it. */
const runs = new Set(['model.safetensors', 'graph.onnx', 'data/tones.wav']);

for (const input of inputs)
  test(`${input.name}: damaged, misplaced or another file`, async () => {
    const { findings, refused } = await sweep(input, {
      count: 0,
      seed: 1,
      only,
      engine,
      skipped: runs.has(input.name) ? '' : 'score',
    });
    assert.deepEqual(findings, []);
    assert.ok(refused > 0, 'nothing was refused');
  });

test('what is wrong with a sentence', () => {
  const rows: [message: string, named: boolean, what: string | null][] = [
    ['a.json cannot be read: it is empty; copy it again', true, null],
    ['a.json cannot be read: Unexpected token < in JSON at position 0', true, 'raw text "Unexpected token"'],
    ["ENOENT: no such file or directory, open 'a.json'", true, 'raw text "ENOENT"'],
    ['layerif: defect: Cannot read properties of null (please report it)', false, 'raw text "Cannot read propert"'],
    ['it is empty; copy it again', false, 'the file is not named'],
    ['a.json is bad', true, 'no advice'],
  ];
  for (const [message, named, what] of rows) assert.equal(complaint(message, named), what, message);
});
