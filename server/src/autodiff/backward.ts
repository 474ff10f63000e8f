/**
 * The backward walk: appends to a graph the nodes that compute cotangents.
 *
 * It does what no rule does: keeps to nodes between the wanted values and the seeds, adds up the cotangents of a value
 * used several times, sums over broadcast axes, and names what has no rule. There is no recomputation: forward and
 * backward are one graph, and rules read forward values where they lie.
 */
import { readerOf } from '../onnx/attributes.ts';
import { sameShape } from '../onnx/dims.ts';
import type { Graph, Node, Value } from '../onnx/graph.ts';
import { isFloat, shapeText, typeText } from '../onnx/types.ts';
import { rules } from './rules.ts';
import type { Operands, RuleContext } from './types.ts';
import { lookup } from '../text/lookup.ts';
import { nth } from '../lists/nth.ts';

/** The cotangent of a value that the walk starts from: of its type, and of its shape or broadcastable to it. */
export interface Seed {
  of: Value;
  cotangent: Value;
}

/**
 * Appends the gradient nodes to `g`, in the scope `grad/<scope of the forward node>`.
 *
 * @param wrt graph inputs, constants or values inside the graph, of a float type.
 * @returns the cotangent of each, of its shape; null where no seed depends on it. It may be a seed itself.
 * @throws Error `no rule for operator "X" (node "…", layer …)`; errors of rules carry the same place.
 */
export function backward(g: Graph, seeds: readonly Seed[], wrt: readonly Value[]): (Value | null)[] {
  const start = g.mark();
  const forward = [...g.nodes];
  const leads = leadsTo(forward, wrt);
  const cotangents = new Cotangents(g);
  for (const { of, cotangent } of seeds) cotangents.add(of, cotangent);

  for (const node of forward.reverse()) {
    const reached = node.outputs.some((output) => cotangents.has(output));
    if (!reached || !node.inputs.some((input) => input && leads.has(input))) continue;
    g.scope(['grad', node.scope].filter(Boolean).join('/'), () => {
      const answers = applyRule(g, node, leads, cotangents);
      node.inputs.forEach((input, i) => {
        if (input && leads.has(input) && answers[i]) cotangents.add(input, answers[i]);
      });
    });
  }

  const results = g.scope('grad', () => wrt.map((value) => cotangents.full(value)));
  g.prune(
    start,
    [...results, ...seeds.map((seed) => seed.cotangent)].filter((value) => value !== null),
  );
  return results;
}

/** The float values that depend on a wanted one, including those themselves. */
function leadsTo(nodes: readonly Node[], wrt: readonly Value[]): Set<Value> {
  for (const value of wrt) {
    if (!isFloat(value.type))
      throw new Error(`no cotangent for "${value.name}": it is ${value.type}, not a float type`);
  }
  const leads = new Set(wrt);
  for (const node of nodes) {
    if (!node.inputs.some((input) => input && leads.has(input))) continue;
    for (const output of node.outputs) if (isFloat(output.type)) leads.add(output);
  }
  return leads;
}

function applyRule(g: Graph, node: Node, leads: Set<Value>, cotangents: Cotangents): readonly (Value | null)[] {
  const place = `(node "${node.name}", ${node.scope === '' ? 'outside of any layer' : `layer "${node.scope}"`})`;
  const rule = lookup(rules, node.op);
  if (!rule) throw new Error(`no rule for operator "${node.op}" ${place}; add one to autodiff/rules.ts`);
  const y = nth(node.outputs, 0);
  let readsAll = node.outputs.every((output, i) => i === 0 || !cotangents.has(output));
  const spread = node.inputs.some((input) => input && leads.has(input) && !sameShape(input.shape, y.shape));
  const context: RuleContext = {
    ...readerOf(node),
    g,
    node,
    x: node.inputs.map((input) => input ?? undefined) as readonly (Value | undefined)[] as Operands,
    y,
    // Nodes are made when a rule reads a field, never for a field that it leaves alone.
    get dy() {
      return cotangents.full(y) ?? g.zerosLike(y);
    },
    get thin() {
      return spread ? context.dy : (cotangents.of(y) ?? context.dy);
    },
    get dys() {
      readsAll = true;
      return node.outputs.map((output) => cotangents.full(output));
    },
  };
  try {
    const answers = rule(context);
    if (!readsAll) throw new Error('its rule answers for the first output only, and a seed depends on another one');
    return answers;
  } catch (error) {
    throw new Error(`cannot differentiate ${node.op} ${place}: ${(error as Error).message}`, { cause: error });
  }
}

/** The cotangent of each value: a list of parts, added when it is asked for. */
class Cotangents {
  readonly #g: Graph;
  readonly #parts = new Map<Value, Value[]>();

  constructor(g: Graph) {
    this.#g = g;
  }

  has(value: Value): boolean {
    return this.#parts.has(value);
  }

  add(value: Value, part: Value): void {
    const fitted = fit(this.#g, part, value);
    const parts = this.#parts.get(value);
    if (parts) parts.push(fitted);
    else this.#parts.set(value, [fitted]);
  }

  /** The sum of the parts; axes along which it is constant may be 1. */
  of(value: Value): Value | null {
    const parts = this.#parts.get(value);
    if (!parts) return null;
    const total = parts.reduce((a, b) => this.#g.add(a, b));
    this.#parts.set(value, [total]);
    return total;
  }

  /** The sum of the parts in the value's own shape. */
  full(value: Value): Value | null {
    const total = this.of(value);
    if (!total) return null;
    const spread = this.#g.expandLike(total, value);
    this.#parts.set(value, [spread]);
    return spread;
  }
}

/** Sums `part` over the axes along which `value` was broadcast; the result broadcasts to the value's shape. */
function fit(g: Graph, part: Value, value: Value): Value {
  if (part.type !== value.type) {
    throw new Error(`cotangent "${part.name}" ${typeText(part)} does not fit "${value.name}" ${typeText(value)}`);
  }
  const extra = part.shape.length - value.shape.length;
  const summed = extra > 0 ? g.reduceSum(part, [...Array(extra).keys()], false) : part;
  const offset = value.shape.length - summed.shape.length;
  const axes = summed.shape.flatMap((dim, i) => (value.shape[offset + i] === 1 && dim !== 1 ? [i] : []));
  const fitted = axes.length > 0 ? g.reduceSum(summed, axes) : summed;

  const shape = fitted.shape.map((dim, i) => (dim === 1 ? 1 : nth(value.shape, offset + i)));
  if (sameShape(fitted.shape, shape)) return fitted;
  if (fitted.shape.some((dim, i) => typeof dim === 'number' && typeof shape[i] === 'number' && dim !== shape[i])) {
    throw new Error(`cotangent of "${value.name}" ${shapeText(value.shape)} came out as ${shapeText(part.shape)}`);
  }
  // The same size under another name (a symbol that inference could not follow): the value's own name goes on.
  return g.append('Identity', [fitted], {}, [{ type: fitted.type, shape }])[0];
}
