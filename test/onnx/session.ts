/** Runs a graph in ONNX Runtime on one thread, with plain numbers in and out. */
import type { InferenceSession } from 'onnxruntime-node';
import type { Graph } from '../../server/src/onnx/graph.ts';
import { encodeModel } from '../../server/src/onnx/model.ts';
import type { DataType } from '../../server/src/onnx/types.ts';
import { dataTypes } from '../../server/src/onnx/types.ts';

process.env.ORT_DISABLE_TELEMETRY = '1';
const ort = await import('onnxruntime-node');

export interface Feed {
  type: DataType;
  shape: readonly number[];
  data: readonly number[];
}
export type Feeds = Readonly<Record<string, Feed>>;

export async function open(
  g: Graph,
  options: InferenceSession.SessionOptions = {},
): Promise<(feeds: Feeds) => Promise<Record<string, Feed>>> {
  const session = await ort.InferenceSession.create(encodeModel(g), {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
    ...options,
  });
  return async (feeds) => {
    const outputs = await session.run(
      Object.fromEntries(Object.entries(feeds).map(([name, feed]) => [name, tensor(feed)])),
    );
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { type, dims, data }]) => {
        const numbers = Array.from(data as Iterable<number | bigint>, Number);
        return [name, { type: type as DataType, shape: dims, data: numbers }];
      }),
    );
  };
}

function tensor({ type, shape, data }: Feed): InstanceType<typeof ort.Tensor> {
  const make = dataTypes[type].array.from as (this: unknown, list: readonly (number | bigint)[]) => Float32Array;
  const content = make.call(dataTypes[type].array, type === 'int64' ? data.map(BigInt) : data);
  return new ort.Tensor(type as 'float32', content, shape);
}
