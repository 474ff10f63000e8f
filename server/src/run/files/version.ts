import type { EngineInfo } from '../../../../protocol/engine.ts';
/** The version of this program, kept equal to package.json by test/scripts/release.test.ts. */
export const version = '0.1.0';

/** What every written file says of the program, the machine and the moment. */
export function madeBy({ onnxruntime, device, threads }: EngineInfo): {
  layerif: string;
  onnxruntime: string;
  device: EngineInfo['device'];
  threads: number;
  date: string;
} {
  return { layerif: version, onnxruntime, device, threads, date: new Date().toISOString() };
}
