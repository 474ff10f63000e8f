/**
 * A text file of rows without some of them, as it stands but for their lines: JSON lines and separated values. Never
 * over a file that exists, and only of the file that was marked.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { WrittenRows } from '../../../../protocol/rowSelection.ts';
import { writeAtomically } from '../../checkpoints/fileBytes.ts';
import { formatOf, readRows } from '../../data/formats.ts';
import { dataHashes } from '../files/provenance.ts';
import { cannotWrite, makeFolders } from '../../files/writing.ts';
import { freeName, requireNew } from './dataRows.ts';

export interface LinesWithout {
  /** Absolute. */
  file: string;
  /** Row numbers, from 0. */
  rows: readonly number[];
  /** Of the file when its rows were marked. */
  sha256: string;
  /** Absent: nothing is written. */
  output?: string | undefined;
}

/** @throws LayerifError `badData`: the file changed or has no lines; `badRequest`: the new one exists; `cannotWrite` */
export async function linesWithout({ file, rows, sha256, output }: LinesWithout): Promise<WrittenRows> {
  if (Object.values(await dataHashes([file], path.dirname(file)))[0] !== sha256)
    throw new LayerifError('badData', `${file} was changed since its rows were marked: score it again`);
  const format = formatOf(file);
  if (format === null) throw new LayerifError('badData', `${file} is no data file that is read`);
  const left = new Set(rows);
  const starts: number[] = [];
  for await (const { line } of readRows({ path: file, format })) {
    if (line === null) throw new LayerifError('badData', `${file} has no lines, so none can be left out`);
    starts.push(line - 1);
  }
  const kept = starts.length - [...left].filter((row) => row < starts.length).length;
  if (kept === 0) throw new LayerifError('badRequest', `none of the ${starts.length} rows would be left: choose fewer`);
  // Byte for byte, whatever the bytes mean.
  const lines = fs.readFileSync(file, 'latin1').split(/(?<=\n)/);
  const dropped = new Set<number>();
  for (const row of left) {
    const [from, to] = [starts[row], starts[row + 1] ?? lines.length];
    for (let line = from ?? lines.length; line < to; line++) dropped.add(line);
  }
  const bytes = Buffer.from(lines.filter((_, line) => !dropped.has(line)).join(''), 'latin1');
  const { dir, name, ext } = path.parse(file);
  const target = output ?? freeName(path.join(dir, `${name}-without-${left.size}`), ext);
  const told: WrittenRows = { file: target, rows: kept, of: starts.length, notes: [] };
  if (output === undefined) return { ...told, preview: bytes.toString() };
  requireNew(target, target);
  try {
    makeFolders(path.dirname(target));
    writeAtomically(target, [bytes]);
  } catch (error) {
    throw cannotWrite(target, error);
  }
  return told;
}
