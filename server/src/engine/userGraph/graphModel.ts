/**
 * A user's ONNX graph that is open: runs it once per shape of sample to learn every size in it (the probe), and makes
 * sessions that give losses and captures. Samples run one by one, so that what a node multiplies belongs to one sample
 * whatever the graph does with its axes: a plain gradient is then the sample's own.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import { conditionsOf, withBranches } from '../../graphs/branches.ts';
import { flowOf, isWeight, pruned } from '../../graphs/flow.ts';
import { appendGradients } from '../../graphs/gradients.ts';
import type { CaptureNames } from '../../graphs/gradients.ts';
import { bindInputs } from '../../graphs/inputs.ts';
import type { Fed, GraphSample } from '../../graphs/inputs.ts';
import { fault } from '../../graphs/read.ts';
import { specialise } from '../../graphs/specialise.ts';
import type { GraphFile, GraphModule, Probed } from '../../graphs/types.ts';
import { encodeProbe } from '../../onnx/encode.ts';
import type { DecodedModel } from '../../onnx/decode.ts';
import { dataTypes } from '../../onnx/types.ts';
import type { DataType, TypedArray } from '../../onnx/types.ts';
import { typedTensor } from '../runtime/runtime.ts';
import type { Feeds, Runtime, Session, Tensor } from '../runtime/runtime.ts';

/** A session for samples of one shape. */
export interface GradientSession {
  session: Session;
  captures: CaptureNames[];
  /** Positions that have a label: [1, P, V] logits have P. */
  positions: number;
}

interface Shape {
  probed: Map<string, Probed>;
  /** With branches in place. */
  model: DecodedModel;
}

export class GraphModel {
  readonly file: GraphFile;
  readonly #runtime: Runtime;
  readonly #logits: string;
  readonly #modules: readonly GraphModule[];
  /** Constants of the file as sessions are fed with them. */
  readonly #weights = new Map<string, Tensor>();
  readonly #shapes = new Map<string, Shape>();
  /** Of all values that the largest probe saw. */
  activationBytes = 0;

  constructor(runtime: Runtime, file: GraphFile, logits: string, modules: readonly GraphModule[]) {
    this.#runtime = runtime;
    this.file = file;
    this.#logits = logits;
    this.#modules = modules;
  }

  /** Inputs of the graph for one sample. @throws LayerifError `badData` */
  bind(sample: GraphSample, length: number): Map<string, Fed> {
    try {
      return bindInputs(this.file.model, sample, length);
    } catch (error) {
      throw fault(this.file.path, (error as Error).message, error, 'badData');
    }
  }

  /**
   * A new session, which the caller releases.
   * @param like a sample of the shape that the session is for
   * @throws LayerifError `badModel` naming operator, node and layer of what cannot be done
   */
  async session(like: ReadonlyMap<string, Fed>, scored: ReadonlySet<GraphModule>): Promise<GradientSession> {
    const { probed, model } = await this.#shape(like);
    try {
      const built = specialise({
        model,
        probed,
        constant: (name) => this.#constant(model, name),
        modules: this.#modules,
      });
      const { graph, captures, weights } = appendGradients(built, this.#logits, scored);
      const session = await this.#runtime.session(graph);
      const fed: Feeds = Object.fromEntries([...weights].map(([input, name]) => [input, this.#weight(model, name)]));
      const shape = probed.get(this.#logits)!.shape;
      const used = new Set(graph.inputs.map(({ name }) => name));
      return {
        session: {
          run: (feeds, into) => session.run({ ...only(feeds, used), ...only(fed, used) }, into),
          release: () => session.release(),
        },
        captures,
        positions: shape.slice(0, -1).reduce((a, b) => a * b, 1),
      };
    } catch (error) {
      throw this.#fault(error);
    }
  }

  /** Logits of a sample, as the graph itself gives them. */
  async logits(like: ReadonlyMap<string, Fed>): Promise<{ data: Float32Array; shape: readonly number[] }> {
    const model = pruned(this.file.model, [this.#logits]);
    const { [this.#logits]: logits } = await this.#plain(model, [this.#logits], like);
    return { data: logits.data as Float32Array, shape: logits.dims };
  }

  /**
   * A session that gives these values of the graph as it is; the caller releases it.
   * @param like a sample of the shape that it is for, where the graph has branches
   */
  async reader(
    outputs: readonly string[],
    like: ReadonlyMap<string, Fed>,
  ): Promise<{
    /** For samples of any shape. */
    anyShape: boolean;
    run: (fed: ReadonlyMap<string, Fed>) => Promise<Record<string, Tensor>>;
    release: () => Promise<void>;
  }> {
    try {
      const whole = pruned(this.file.model, outputs);
      const model = await this.#withoutBranches(outputs, like);
      const { session, feeds } = await this.#plainSession(model, outputs);
      return {
        anyShape: conditionsOf(whole).length === 0,
        run: (fed) => session.run(feeds(fed)),
        release: () => session.release(),
      };
    } catch (error) {
      throw this.#fault(error);
    }
  }

  async #shape(like: ReadonlyMap<string, Fed>): Promise<Shape> {
    const key = JSON.stringify([...like].map(([name, { shape }]) => [name, shape]));
    let known = this.#shapes.get(key);
    if (!known) {
      try {
        known = await this.#probe(like);
      } catch (error) {
        throw this.#fault(error);
      }
      this.#shapes.set(key, known);
    }
    return known;
  }

  /** Every size and type, and the content of what is the same for all samples of this shape. */
  async #probe(like: ReadonlyMap<string, Fed>): Promise<Shape> {
    const model = await this.#withoutBranches([this.#logits], like);
    const { fixed, foldable } = flowOf(model);
    const readers = new Set(
      model.nodes.filter(({ outputs }) => !outputs.every((o) => o === '' || foldable.has(o))).flatMap((n) => n.inputs),
    );
    // Of the values that fold away, only those that the rest reads are told.
    const asked = model.nodes.flatMap(({ outputs }) =>
      outputs.filter((name) => name !== '' && (!foldable.has(name) || readers.has(name))),
    );
    const results = await this.#plain(model, asked, like);
    const bytes = Object.values(results).reduce((sum, { data }) => sum + (data as TypedArray).byteLength, 0);
    this.activationBytes = Math.max(this.activationBytes, bytes);
    const probed = new Map<string, Probed>();
    for (const [name, { type, shape }] of like) probed.set(name, { type, shape, data: null });
    for (const [name, tensor] of Object.entries(results)) {
      const keep = fixed.has(name) && foldable.has(name);
      probed.set(name, {
        type: typeOf(name, tensor),
        shape: [...tensor.dims],
        data: keep ? (tensor.data as TypedArray) : null,
      });
    }
    return { probed, model };
  }

  /** What these values need, with the branches that are taken in their places. */
  async #withoutBranches(outputs: readonly string[], like: ReadonlyMap<string, Fed>): Promise<DecodedModel> {
    let model = pruned(this.file.model, outputs);
    for (let conditions = conditionsOf(model); conditions.length > 0; conditions = conditionsOf(model)) {
      const constants = new Map(model.initializers.map((c) => [c.name, c]));
      const asked = [...new Set(conditions)].filter((name) => !constants.has(name));
      const told = asked.length > 0 ? await this.#plain(pruned(model, asked), asked, like) : {};
      const holds = (name: string): boolean =>
        Number((constants.has(name) ? this.file.constant(name) : (told[name].data as TypedArray))[0]) !== 0;
      model = pruned(withBranches(model, holds), outputs);
    }
    return model;
  }

  async #plain(
    model: DecodedModel,
    outputs: readonly string[],
    like: ReadonlyMap<string, Fed>,
  ): Promise<Record<string, Tensor>> {
    const { session, feeds } = await this.#plainSession(model, outputs);
    try {
      return await session.run(feeds(like));
    } finally {
      await session.release();
    }
  }

  async #plainSession(model: DecodedModel, outputs: readonly string[]) {
    const weights = new Set(model.initializers.filter((c) => isWeight(c) || c.external).map(({ name }) => name));
    const session = await this.#runtime.plainSession(encodeProbe(model, outputs, weights));
    const wanted = new Set(model.inputs.map(({ name }) => name));
    const fixed: Feeds = Object.fromEntries([...weights].map((name) => [name, this.#weight(model, name)]));
    const feeds = (like: ReadonlyMap<string, Fed>): Feeds => {
      const given = [...like].filter(([name]) => wanted.has(name));
      return {
        ...fixed,
        ...Object.fromEntries(given.map(([name, { type, data, shape }]) => [name, typedTensor(type, data, shape)])),
      };
    };
    return { session, feeds };
  }

  #weight(model: DecodedModel, name: string): Tensor {
    let tensor = this.#weights.get(name);
    if (!tensor) {
      const { type, shape } = model.initializers.find((c) => c.name === name)!;
      tensor = typedTensor(type, this.#constant(model, name), shape);
      this.#weights.set(name, tensor);
    }
    return tensor;
  }

  /** Constants that lay in a branch belong to the graph with its branches in place only. */
  #constant(model: DecodedModel, name: string): TypedArray {
    return model.initializers.find((c) => c.name === name)?.data ?? this.file.constant(name);
  }

  #fault(error: unknown): unknown {
    if (error instanceof LayerifError || this.#runtime.signal?.aborted) return error;
    return fault(this.file.path, error instanceof Error ? error.message : String(error), error);
  }
}

function only(feeds: Feeds, names: ReadonlySet<string>): Feeds {
  return Object.fromEntries(Object.entries(feeds).filter(([name]) => names.has(name)));
}

function typeOf(name: string, tensor: Tensor): DataType {
  const type: string = tensor.type;
  if (!Object.hasOwn(dataTypes, type)) throw new Error(`value "${name}" is ${type}, which is not supported`);
  return type as DataType;
}
