/** Where an ONNX graph says its weights are: a text of the file, which never reaches out of the graph's folder. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { LayerifError } from '../../protocol/errors.ts';
import { readGraph } from '../../server/src/graphs/read.ts';
import { Graph } from '../../server/src/onnx/graph.ts';
import { encodeModel } from '../../server/src/onnx/model.ts';

/** The folder `graph` with a graph and `w.data`, and beside it a secret. */
function folder(t: TestContext) {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-external-')));
  t.after(() => fs.rmSync(root, { recursive: true, force: true }));
  const graph = path.join(root, 'graph');
  fs.mkdirSync(path.join(graph, 'sub'), { recursive: true });
  fs.writeFileSync(path.join(root, 'secret'), Buffer.alloc(64, 7));
  fs.writeFileSync(path.join(graph, 'w.data'), Buffer.from(Float32Array.of(1, 2, 3, 4).buffer));
  const open = (location: string, offset = 0, length = 16) => {
    const g = new Graph('external');
    const w = g.external('w', 'float32', [2, 2], { location, offset, length });
    g.output(g.matMul(g.input('x', 'float32', ['B', 2]), w), 'y');
    const file = path.join(graph, 'model.onnx');
    fs.writeFileSync(file, encodeModel(g));
    return readGraph(file);
  };
  const refused = (message: RegExp, ...place: Parameters<typeof open>) =>
    assert.throws(
      () => open(...place).constant('w'),
      (error) => {
        assert.ok(error instanceof LayerifError, String(error));
        assert.match(error.message, message);
        assert.ok(error.message.includes(graph), 'names the file');
        assert.doesNotMatch(error.message, /\n/);
        return true;
      },
      JSON.stringify(place),
    );
  return { root, graph, open, refused };
}

test('a file in the folder of the graph, or below it, is read', (t) => {
  const { graph, open } = folder(t);
  assert.deepEqual([...(open('w.data').constant('w') as Float32Array)], [1, 2, 3, 4]);
  fs.copyFileSync(path.join(graph, 'w.data'), path.join(graph, 'sub', 'w'));
  assert.deepEqual([...(open('sub/w').constant('w') as Float32Array)], [1, 2, 3, 4]);
  assert.deepEqual([...(open('./sub/../w.data').constant('w') as Float32Array)], [1, 2, 3, 4]);
});

test('locations that lead out of the folder are refused, whatever lies there', (t) => {
  const { root, refused } = folder(t);
  const out = /external data ".*" of constant "w" lies outside of the folder of the graph/;
  for (const location of ['../secret', 'sub/../../secret', path.join(root, 'secret'), '/etc/passwd', '', '.', '..'])
    refused(out, location);
});

test('symbolic links: within the folder yes, out of it no, as a file or as a folder', (t) => {
  const { root, graph, open, refused } = folder(t);
  fs.symlinkSync('w.data', path.join(graph, 'inside'));
  assert.deepEqual([...(open('inside').constant('w') as Float32Array)], [1, 2, 3, 4]);
  const out = /is a symbolic link that leads out of the folder/;
  fs.symlinkSync('../secret', path.join(graph, 'outside'));
  refused(out, 'outside');
  fs.symlinkSync(root, path.join(graph, 'up'));
  refused(out, 'up/secret');
  fs.symlinkSync('outside', path.join(graph, 'twice'));
  refused(out, 'twice');
  fs.symlinkSync('loop', path.join(graph, 'loop'));
  refused(/cannot be opened \(ELOOP\)/, 'loop');
});

test('missing, no file, cut off, and places that are not in the file', (t) => {
  const { refused } = folder(t);
  refused(/"gone" of constant "w" is missing/, 'gone');
  refused(/"sub" of constant "w" is no file/, 'sub');
  refused(/takes 16 bytes; the graph places 16 at 8, the file holds 16/, 'w.data', 8);
  refused(/takes 16 bytes; the graph places 16 at 4503599627370496/, 'w.data', 2 ** 52);
  refused(/cannot be opened \(ERR_INVALID_ARG_VALUE\)|lies outside/, 'w.data\0');
  refused(/cannot be opened \(ENAMETOOLONG\)/, 'w'.repeat(5000));
});
