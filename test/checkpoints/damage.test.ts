/**
 * Whole checkpoints with damage at random places: every one is either read to the end or refused in one line that names
 * the file. Nothing else may come out, and no count in a header may cost more memory than the file itself.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { LayerifError } from '../../protocol/errors.ts';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';
import { folder } from '../data/files.ts';

const reference = join(import.meta.dirname, '../reference');
const RUNS = 400;
/** Messages repeat names and values of the file, but short ones. */
const LONGEST_MESSAGE = 1500;
const MOST_GROWTH = 64 << 20;

interface Case {
  /** Copies the checkpoint into `root`. @returns what to open and the file to damage */
  place(root: string): { target: string; file: string };
  /** Bytes from the start in which most of the damage falls: the header. */
  header(bytes: Buffer): number;
}

const cases: Record<string, Case> = {
  'a Hugging Face folder': {
    place(root) {
      cpSync(join(reference, 'llama/minimal'), root, { recursive: true });
      return { target: root, file: join(root, 'model.safetensors') };
    },
    header: (bytes) => 8 + Number(bytes.readBigUInt64LE(0)),
  },
  'a GGUF file with weights': {
    place(root) {
      cpSync(join(reference, 'gguf/llama.gguf'), join(root, 'm.gguf'));
      return { target: join(root, 'm.gguf'), file: join(root, 'm.gguf') };
    },
    header: () => 4096,
  },
  'a GGUF file with a vocabulary': {
    place(root) {
      cpSync(join(reference, 'gguf/smollm.gguf'), join(root, 'm.gguf'));
      return { target: join(root, 'm.gguf'), file: join(root, 'm.gguf') };
    },
    header: () => 1024,
  },
};

/** Places are fractions, so that they shrink towards the start of a file of any length. */
const edit = fc.record({
  inHeader: fc.boolean(),
  place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  bytes: fc.oneof(
    fc.record({ flip: fc.integer({ min: 0, max: 7 }) }),
    fc.record({ set: fc.uint8Array({ minLength: 1, maxLength: 8 }) }),
    fc.constant({ set: Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 127) }), // the largest count
  ),
});
const damage = fc.record({
  edits: fc.array(edit, { minLength: 1, maxLength: 3 }),
  keep: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 3 }),
});

for (const [what, example] of Object.entries(cases)) {
  test(`${what}, damaged at random`, (t) => {
    const { target, file } = example.place(folder(t, {}));
    const whole = readFileSync(file);
    const front = example.header(whole);
    let refused = 0;
    const before = process.memoryUsage().rss;
    fc.assert(
      fc.property(damage, ({ edits, keep }) => {
        const bytes = Buffer.from(whole);
        for (const { inHeader, place, bytes: change } of edits) {
          const at = Math.floor(place * (inHeader ? front : bytes.length));
          if ('flip' in change) bytes[at] ^= 1 << change.flip;
          else bytes.set(change.set.subarray(0, bytes.length - at), at);
        }
        writeFileSync(file, keep === null ? bytes : bytes.subarray(0, Math.floor(keep * bytes.length)));
        try {
          const checkpoint = openCheckpoint(target);
          for (const [name, { shape }] of checkpoint.tensors) {
            const values = checkpoint.read(name);
            assert.equal(
              values.length,
              shape.reduce((product, n) => product * n, 1),
            );
            assert.ok(values.every(Number.isFinite), `${name} is finite`);
          }
          checkpoint.tokenizer();
        } catch (error) {
          if (!(error instanceof LayerifError)) throw error;
          assert.equal(error.code, 'badModel');
          assert.ok(error.message.includes(file), error.message);
          assert.doesNotMatch(error.message, /[\p{Cc}\p{Zl}\p{Zp}]/u);
          assert.ok(error.message.length < LONGEST_MESSAGE, error.message);
          refused++;
        }
      }),
      { seed: 7, numRuns: RUNS },
    );
    assert.ok(refused > RUNS / 2, `${refused} of ${RUNS} were refused`);
    const growth = process.memoryUsage().rss - before;
    assert.ok(growth < MOST_GROWTH, `memory grew by ${growth} bytes`);
  });
}
