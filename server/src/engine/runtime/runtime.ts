/**
 * Sessions of ONNX Runtime: the only file that imports onnxruntime-node.
 *
 * Spinning is off (sessions share the cores with each other and with the user), the memory arena is off (it keeps the
 * largest run's memory for ever), optimisation is at its highest level. Numbers below float32's normal range count as
 * zero: products with them take a hundred times as long (measured), as after the softmax of a very confident model.
 * `run` blocks the event loop for its whole duration, therefore every run is followed by a turn of the loop, in which a
 * cancel message can arrive.
 */
import type { DeviceId } from '../../../../protocol/devices.ts';
import './telemetry.ts';
import * as ort from 'onnxruntime-node';
import type { Graph } from '../../onnx/graph.ts';
import { encodeModel } from '../../onnx/model.ts';
import type { DataType, TypedArray } from '../../onnx/types.ts';

export type Tensor = ort.Tensor;
export type Feeds = Record<string, ort.Tensor>;
export type Device = Exclude<DeviceId, 'auto'>;

export const onnxruntimeVersion: string = ort.env.versions.node ?? ort.env.versions.common;

export function floats(data: Float32Array, shape: readonly number[]): Tensor {
  return new ort.Tensor('float32', data, shape);
}

export function integers(data: BigInt64Array, shape: readonly number[]): Tensor {
  return new ort.Tensor('int64', data, shape);
}

/** Of any type that graphs hold. @throws for bfloat16, which ONNX Runtime's binding does not take */
export function typedTensor(type: DataType, data: TypedArray, shape: readonly number[]): Tensor {
  return new ort.Tensor(type as 'float32', data as Float32Array, shape);
}

export function tensorOf(data: Float32Array | Float64Array, shape: readonly number[]): Tensor {
  return data instanceof Float64Array ? new ort.Tensor('float64', data, shape) : floats(data, shape);
}

/** The numbers of a float32 tensor, without a copy. */
export function numbers(tensor: Tensor): Float32Array {
  return tensor.data as Float32Array;
}

export interface Session {
  /** @param into tensors that outputs are written into, by output name */
  run(feeds: Feeds, into?: Feeds): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

export class Runtime {
  readonly device: Device;
  readonly threads: number;
  /**
   * Whether ONNX Runtime may give operators that the device lacks to the CPU; without, a session of such a graph is
   * refused.
   */
  readonly fallback: 'cpu' | 'nowhereElse';
  /** Told once, when the first graph comes whose operators the device does not all have. */
  onPartial: (() => void) | undefined;
  /** Looked at after every run. */
  signal: AbortSignal | undefined;
  /** Runs of all sessions so far. */
  runs = 0;

  constructor(device: Device, threads: number, fallback: 'cpu' | 'nowhereElse' = 'cpu') {
    this.device = device;
    this.threads = threads;
    this.fallback = fallback;
  }

  async session(graph: Graph): Promise<Session> {
    return this.#open(encodeModel(graph), 'all');
  }

  /** A user's graph as it is: no optimisation, so that every value in it can be an output. */
  async plainSession(model: Uint8Array): Promise<Session> {
    return this.#open(model, 'disabled');
  }

  async #open(model: Uint8Array, level: 'all' | 'disabled'): Promise<Session> {
    const session = await this.#create(model, level);
    return {
      run: async (feeds, into) => {
        this.signal?.throwIfAborted();
        this.runs++;
        const outputs = into ? await session.run(feeds, into) : await session.run(feeds);
        await new Promise((turn) => setImmediate(turn));
        this.signal?.throwIfAborted();
        return outputs;
      },
      release: () => session.release(),
    };
  }

  /** On an accelerator without the CPU first, so that it is known, and said, when the CPU has to help. */
  async #create(model: Uint8Array, level: 'all' | 'disabled'): Promise<ort.InferenceSession> {
    const options = (alone: boolean): ort.InferenceSession.SessionOptions => ({
      executionProviders: [this.device],
      intraOpNumThreads: this.threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: level,
      enableCpuMemArena: false,
      enableMemPattern: false,
      // The first try may fail, which is no news for standard error.
      logSeverityLevel: alone && this.fallback === 'cpu' ? 4 : 3,
      extra: {
        session: {
          intra_op: { allow_spinning: '0' },
          set_denormal_as_zero: '1',
          // Its moving of quantisations past other nodes loses zero points in graphs of 8-bit weights, and gains us
          // nothing.
          disable_quant_qdq: '1',
          ...(alone ? { disable_cpu_ep_fallback: '1' } : {}),
        },
      },
    });
    if (this.device === 'cpu') return ort.InferenceSession.create(model, options(false));
    try {
      return await ort.InferenceSession.create(model, options(true));
    } catch (error) {
      if (this.fallback === 'nowhereElse' || !/fallback to CPU EP/.test((error as Error).message)) throw error;
      this.onPartial?.();
      this.onPartial = undefined;
      return ort.InferenceSession.create(model, options(false));
    }
  }
}
