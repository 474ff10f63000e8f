/**
 * Hints behind values: rows of datasets and slices; mean tokens and the share of truncated texts of a slice that was
 * scored as it stands. Nothing is computed for a hint: what does not come at once is left out, and the editor asks
 * again when it is there.
 */
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { InlayHintKind } from 'vscode-languageserver/node';
import type { InlayHint, Range } from 'vscode-languageserver/node';
import type { Path } from '../config/experiment.ts';
import { experimentName } from '../run/files/results.ts';
import { lastScored, textsKey } from '../run/files/scoredIndex.ts';
import type { ScoredTask, Side } from '../run/files/scoredIndex.ts';
import { countTaskRows, describeDataset } from '../run/inputs/describe.ts';
import { lookup } from '../text/lookup.ts';
import { counted } from './choices.ts';
import type { OpenExperiment } from './documents.ts';
import { lspRange } from './ranges.ts';

/** A hint waits so long for the disk. */
const PATIENCE_MS = 100;

interface Hint {
  path: Path;
  words: string | Promise<string>;
}

/** @param later called when something that was left out is there */
export async function inlayHints(open: OpenExperiment, range: Range, later: () => void): Promise<InlayHint[]> {
  const { experiment, positions, baseDir, file } = open;
  if (!experiment) return [];
  const inRange = (place: Path) => {
    const at = positions.value(place);
    const line = lspRange(at).end.line;
    return at.file === file && line >= range.start.line && line <= range.end.line;
  };
  const hints: Hint[] = [];
  for (const [name, dataset] of Object.entries(experiment.datasets)) {
    const place = ['datasets', name, 'path'];
    if (dataset.path === undefined || !inRange(place)) continue;
    hints.push({
      path: place,
      words: describeDataset(name, dataset, baseDir).then(({ rows }) => counted(rows, 'row')),
    });
  }
  let last: ReturnType<typeof lastScored> | null = null;
  for (const [index, task] of experiment.tasks.entries()) {
    const dataset = lookup(experiment.datasets, task.dataset);
    const raw = (open.raw as { tasks?: Record<string, unknown>[] } | undefined)?.tasks?.[index];
    if (!dataset || !raw) continue;
    for (const [key, side] of sides) {
      const place = ['tasks', index, key];
      if (raw[key] === undefined || !inRange(place)) continue;
      last ??= lastScored(path.resolve(baseDir, experiment.output_dir), experimentName(file));
      const scored = last.get(task.task);
      const same = scored?.keys[side] === textsKey(experiment, task.task, side) ? scored : undefined;
      hints.push({ path: place, words: sliceWords(side, same, () => countTaskRows(task, dataset, baseDir)) });
    }
  }
  let missing = false;
  const found = await Promise.all(
    hints.map(async ({ path: place, words }): Promise<InlayHint[]> => {
      const label = await soon(words);
      if (label === null) missing = true;
      return label ? [hintAt(lspRange(positions.value(place)), label)] : [];
    }),
  );
  if (missing) void Promise.allSettled(hints.map(({ words }) => Promise.resolve(words))).then(later);
  return found.flat();
}

const sides: readonly [key: string, side: Side][] = [
  ['training_split', 'train'],
  ['validation_split', 'validation'],
];

function sliceWords(
  side: Side,
  scored: ScoredTask | undefined,
  rows: () => Promise<Record<Side, number>>,
): string | Promise<string> {
  const counts = scored?.[side];
  if (!counts || counts.samples === 0) return rows().then((found) => counted(found[side], 'row'));
  const { samples, tokens, truncated } = counts;
  const cut = truncated > 0 ? `, ${percent(truncated / samples)} truncated` : '';
  return `${counted(samples, 'row')}, ${Math.round(tokens / samples)} tokens each${cut}`;
}

const percent = (share: number) => (share < 0.01 ? '<1 %' : `${Math.round(100 * share)} %`);

/** Null for what is not there yet, '' for what cannot be read: the diagnostics say why. */
async function soon(words: string | Promise<string>): Promise<string | null> {
  if (typeof words === 'string') return words;
  return Promise.race([words.catch(() => ''), pause(PATIENCE_MS, null, { ref: false })]);
}

function hintAt({ end }: Range, label: string): InlayHint {
  return { position: end, label, kind: InlayHintKind.Parameter, paddingLeft: true };
}
