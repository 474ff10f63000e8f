/**
 * Import circles, types included: among files and among folders. Only those listed here may stand, each with its
 * reason.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { folders, importsOf, root, sourceFiles } from './sources.ts';

const fileCircles: Record<string, string> = {
  'server/src/models/segment.ts server/src/models/types.ts':
    'a segment builder is made for an architecture, and an architecture builds its blocks with one',
  'server/src/onnx/shapes.ts server/src/onnx/spatialShapes.ts':
    'the table of shape rules is joined from two files that share its row type',
};

const folderCircles: Record<string, string> = {
  'extension/src extension/src/commands': 'commands are registered by the extension and use its client and views',
  'server/src/data server/src/data/readers': 'readers make rows, whose type the data folder states',
  'webview/src webview/src/components': 'pages draw components, which ask the host through the page',
};

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** Strongly connected parts of two or more nodes, each as its sorted names (Tarjan 1972). */
export function circles(graph: Graph): string[] {
  const found: string[] = [];
  const [order, lowest, stack] = [new Map<string, number>(), new Map<string, number>(), [] as string[]];
  const visit = (node: string): void => {
    order.set(node, order.size);
    lowest.set(node, order.get(node)!);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) visit(next);
      if (stack.includes(next)) lowest.set(node, Math.min(lowest.get(node)!, lowest.get(next)!));
    }
    if (lowest.get(node) !== order.get(node)) return;
    const part = stack.splice(stack.indexOf(node));
    if (part.length > 1) found.push(part.sort().join(' '));
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return found.sort();
}

function imports(): Map<string, Set<string>> {
  const files = new Set(sourceFiles(folders));
  return new Map(
    [...files].map((file) => [
      file,
      new Set(
        importsOf(file, readFileSync(join(root, file), 'utf8'))
          .map(({ specifier }) => posix.join(dirname(file), specifier))
          .filter((target) => files.has(target) && target !== file),
      ),
    ]),
  );
}

test('circles are found', () => {
  const graph = new Map([
    ['a', new Set(['b'])],
    ['b', new Set(['c', 'd'])],
    ['c', new Set(['a'])],
    ['d', new Set<string>()],
  ]);
  assert.deepEqual(circles(graph), ['a b c']);
});

test('no circle of files but those listed', () => {
  assert.deepEqual(circles(imports()), Object.keys(fileCircles).sort());
});

test('no circle of folders but those listed', () => {
  const graph = new Map<string, Set<string>>();
  for (const [file, targets] of imports()) {
    const to = graph.get(dirname(file)) ?? new Set<string>();
    for (const target of targets) if (dirname(target) !== dirname(file)) to.add(dirname(target));
    graph.set(dirname(file), to);
  }
  assert.deepEqual(circles(graph), Object.keys(folderCircles).sort());
});
