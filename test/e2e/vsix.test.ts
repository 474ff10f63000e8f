/** What is inside the VSIX: everything it needs, nothing else. `npm run package` has made it. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { demoFiles } from '../../extension/src/demoFiles.ts';
import { vsix } from './vsix.ts';

/** Name and unpacked size of every entry, from the central directory of a zip file. */
function zipEntries(file: string): Map<string, number> {
  const zip = readFileSync(file);
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  let at = zip.readUInt32LE(end + 16);
  const entries = new Map<string, number>();
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    assert.equal(zip.readUInt32LE(at), 0x02014b50, 'a central directory entry');
    const [name, extra, comment] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset));
    entries.set(zip.toString('utf8', at + 46, at + 46 + name), zip.readUInt32LE(at + 24));
    at += 46 + name + extra + comment;
  }
  return entries;
}

/** Every entry must match one of these, and each must have an entry. */
const expected: RegExp[] = [
  /^\[Content_Types\]\.xml$/,
  /^extension\.vsixmanifest$/,
  /^extension\/package\.json$/,
  /^extension\/package\.nls\.json$/,
  /^extension\/readme\.md$/i,
  /^extension\/changelog\.md$/i,
  /^extension\/examples\/sentiment-and-capitals\.layerif\.yaml$/,
  /^extension\/examples\/data\/(README\.md|sentiment\.jsonl|capitals\.csv)$/i,
  /^extension\/examples\/data\/licenses\/(sentiment-MIT\.txt|capitals-ODbL-1\.0\.md)$/,
  /^extension\/LICENSE(\.txt)?$/i,
  /^extension\/media\/[\w./-]+\.(svg|png|md|json)$/,
  /^extension\/dist\/(extension|server|serverWorker|engine|cli|cliWork)\.cjs$/,
  /^extension\/dist\/webview\/(results|layers|comparison|inspect|header|predict|analysis|chat)\.(js|css)$/,
  /^extension\/dist\/ThirdPartyNotices\.txt$/,
  /^extension\/node_modules\/onnxruntime-node\/package\.json$/,
  /^extension\/node_modules\/onnxruntime-node\/dist\/\w+\.js$/,
  /^extension\/node_modules\/onnxruntime-node\/bin\/napi-v6\/linux\/x64\/(onnxruntime_binding\.node|libonnxruntime\.so\.1)$/,
  /^extension\/node_modules\/onnxruntime-common\/package\.json$/,
  /^extension\/node_modules\/onnxruntime-common\/dist\/cjs\/[\w-]+\.js$/,
  /^extension\/node_modules\/onnxruntime-common\/dist\/cjs\/package\.json$/,
];

test('the VSIX holds what it needs and nothing else', () => {
  const entries = zipEntries(vsix);
  const names = [...entries.keys()];
  assert.deepEqual(
    names.filter((name) => !expected.some((pattern) => pattern.test(name))),
    [],
    'files that nobody expects',
  );
  assert.deepEqual(
    expected.filter((pattern) => !names.some((name) => pattern.test(name))).map(String),
    [],
    'files that are missing',
  );
  for (const bundle of ['extension', 'server', 'serverWorker', 'engine', 'cli', 'cliWork'])
    assert.ok(entries.has(`extension/dist/${bundle}.cjs`), bundle);
  for (const file of demoFiles)
    assert.ok(
      [...entries.keys()].some((name) => name.toLowerCase() === `extension/examples/${file}`.toLowerCase()),
      file,
    );
  for (const page of ['results.js', 'results.css', 'layers.js', 'layers.css'])
    assert.ok(entries.has(`extension/dist/webview/${page}`), page);
});

test('the VSIX is about as large as one copy of ONNX Runtime', () => {
  const packed = readFileSync(vsix).length / 1e6;
  const unpacked = [...zipEntries(vsix).values()].reduce((sum, size) => sum + size, 0) / 1e6;
  console.log(`VSIX: ${packed.toFixed(1)} MB packed, ${unpacked.toFixed(1)} MB unpacked`);
  assert.ok(packed > 10 && packed < 25, `${packed} MB`);
});
