/**
 * Grams on disk. While a run is under way there is one file per finished layer; at the end they become one `grams.safetensors`
 * with the tensors `<task>/<layer>.<module>.{K,C,diagV}`, float64, readable from Python.
 */
import fs from 'node:fs';
import { openSafetensors, readSafetensors } from '../checkpoints/safetensors.ts';
import type { ModuleGrams } from '../estimators/layerScores.ts';
import { cannotWrite } from './results.ts';

/** @param parametersOf number of weights of a module */
export function readLayerGrams(
  file: string,
  layer: number,
  modules: readonly string[],
  parametersOf: (module: string) => number,
): ModuleGrams[] {
  const tensors = readSafetensors(file);
  return modules.map((module) => {
    const get = (name: string) => tensors.tensor(`${layer}.${module}.${name}`) as Float64Array;
    const [K, C, diagV] = [get('K'), get('C'), get('diagV')];
    const n = Math.round(Math.sqrt(K.length));
    return { module, grams: { n, m: diagV.length, parameters: parametersOf(module), K, C, diagV } };
  });
}

/** Joins the layer files into one, copying bytes; temporary file, then rename. @throws LayerifError `cannotWrite` */
export function mergeGrams(into: string, parts: { task: string; files: string[] }[]): void {
  const header: Record<string, { dtype: string; shape: readonly number[]; data_offsets: [number, number] }> = {};
  const copies: { file: string; start: number; length: number }[] = [];
  let at = 0;
  for (const { task, files } of parts) {
    for (const file of files) {
      const { tensors, dataStart } = openSafetensors(file);
      const size = fs.statSync(file).size - dataStart;
      for (const { name, dtype, shape, offset, byteLength } of tensors) {
        const start = at + offset - dataStart;
        header[`${task}/${name}`] = { dtype, shape, data_offsets: [start, start + byteLength] };
      }
      copies.push({ file, start: dataStart, length: size });
      at += size;
    }
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const temporary = `${into}.${process.pid}.tmp`;
  try {
    const out = fs.openSync(temporary, 'w');
    try {
      fs.writeSync(out, length);
      fs.writeSync(out, padded);
      const chunk = Buffer.alloc(1 << 22);
      for (const { file, start, length: size } of copies) {
        const source = fs.openSync(file, 'r');
        try {
          for (let done = 0; done < size;) {
            const got = fs.readSync(source, chunk, 0, Math.min(chunk.length, size - done), start + done);
            if (got === 0) throw new Error(`${file} became shorter while it was read`);
            fs.writeSync(out, chunk, 0, got);
            done += got;
          }
        } finally {
          fs.closeSync(source);
        }
      }
      fs.fsyncSync(out);
    } finally {
      fs.closeSync(out);
    }
    fs.renameSync(temporary, into);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw cannotWrite(into, error);
  }
}
