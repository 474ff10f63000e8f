/** What every written file says of where it comes from (protocol/provenance.ts). */
import type { EngineInfo } from '../../../../protocol/engine.ts';
import type { Provenance, Written } from '../../../../protocol/provenance.ts';
import { hashFiles } from '../../checkpoints/hashFiles.ts';
import { relativeTo } from './paths.ts';
import { version } from './version.ts';

/** The program and the moment. */
export function written(): Written {
  return { layerif: version, date: new Date().toISOString() };
}

/** Of a file that is begun now. */
export function provenanceOf<Seconds>(
  { onnxruntime, device, threads }: EngineInfo,
  { seconds, dataSha256, seed }: Pick<Provenance<Seconds>, 'seconds' | 'dataSha256' | 'seed'>,
): Provenance<Seconds> {
  const { layerif, date } = written();
  return { layerif, onnxruntime, device, threads, date, seconds, dataSha256, seed };
}

/** Path relative to the experiment's folder -> hex SHA-256, in the order of the files. @throws what the disk refuses */
export async function dataHashes(files: Iterable<string>, baseDir: string): Promise<Record<string, string>> {
  const names = [...new Set(files)];
  const hashes = await hashFiles(names);
  return Object.fromEntries(hashes.map((hash, i) => [relativeTo(baseDir, names[i] ?? ''), hash]));
}
