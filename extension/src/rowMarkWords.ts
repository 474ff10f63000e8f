/** Which runs speak of a data file, and what is said of its marks. No `vscode` here. */
import path from 'node:path';
import type { RowMark, RowMarks, RunOfRows } from '../../protocol/rowRequests.ts';

export const kindWords: Readonly<Record<RowMark['kind'], string>> = {
  harmful: 'harmful',
  misaligned: 'misaligned',
  masked: 'masked',
};

/** What the list of runs knows of one. */
interface KnownRun {
  kind: string;
  uri: { fsPath: string };
  summary: {
    experimentFile: string;
    configured: { provenance: { dataSha256: Readonly<Record<string, string>> } };
  } | null;
  beside: readonly { kind: string; uri: { fsPath: string } }[];
}

/** Runs of scores alone are read to know their data: not more than so many. */
const MOST_UNKNOWN = 5;

/** Newest first: results over the file with the scores beside them, and runs of scores alone. */
export function runsOver(file: string, runs: readonly KnownRun[]): RunOfRows[] {
  let unknown = 0;
  return runs.flatMap(({ kind, uri, summary, beside }): RunOfRows[] => {
    if (kind === 'scores') return unknown++ < MOST_UNKNOWN ? [{ result: null, scores: uri.fsPath }] : [];
    if (kind !== 'result' || !summary) return [];
    const folder = path.dirname(summary.experimentFile);
    const reads = Object.keys(summary.configured.provenance.dataSha256).some(
      (name) => path.resolve(folder, name) === file,
    );
    const scores = beside.find((one) => one.kind === 'scores')?.uri.fsPath ?? null;
    return reads ? [{ result: uri.fsPath, scores }] : [];
  });
}

/** Of the language status. */
export function markedWords(
  dirty: boolean,
  marks: RowMarks | undefined,
  hasRuns: boolean,
): { text: string; detail: string; warning: boolean } {
  if (dirty) return { text: 'No row marks', detail: 'The file has changes that are not saved', warning: false };
  if (!marks)
    return {
      text: 'No row marks',
      detail: hasRuns ? 'No run read this file' : 'No run in this workspace',
      warning: false,
    };
  if (marks.sha256 === null)
    return {
      text: 'Row marks are out of date',
      detail: `The file was changed since it was scored: score ${path.basename(marks.experimentFile)} again, or bring the file back`,
      warning: true,
    };
  const rows = new Set(marks.marks.map(({ row }) => row)).size;
  const counts = Object.keys(kindWords).flatMap((kind) => {
    const count = marks.marks.filter((mark) => mark.kind === kind).length;
    return count > 0 ? [`${count} ${kind}`] : [];
  });
  return rows === 0
    ? { text: 'No row marked', detail: 'The last run found no harmful, misaligned or masked row', warning: false }
    : { text: `${rows} ${rows === 1 ? 'row' : 'rows'} marked`, detail: counts.join(', '), warning: false };
}
