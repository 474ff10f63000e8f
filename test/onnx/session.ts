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
  const content =
    type === 'int64' ? BigInt64Array.from(data, BigInt) : new dataTypes[type as 'float32'].array(data as number[]);
  return new ort.Tensor(type as 'float32', content as Float32Array, shape);
}
