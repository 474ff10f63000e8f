/**
 * What the aliases (`*name`) of a YAML text stand for, and how much they come to when they are written out: ten aliases
 * of ten aliases of ten ... are a short text and more values than any memory holds ("billion laughs"), and merge keys
 * (`<<`) of merge keys take as long.
 */
import { isAlias, isMap, isPair, isScalar, isSeq } from 'yaml';
import type { Alias, Document, Node, Pair } from 'yaml';

const MOST_ALIASES = 500;
/** Values that all aliases together may stand for; the largest task files have some hundreds. */
const MOST_VALUES = 100_000;

export interface Aliases {
  /** Alias -> the nearest node above it with its anchor. */
  targets: ReadonlyMap<Alias, Node>;
  /** Aliases that stand for nothing, merge keys of what is no mapping; one that stands for too much is the last. */
  faults: { node: Node; message: string }[];
}

export function aliasesOf(doc: Document.Parsed): Aliases {
  const targets = new Map<Alias, Node>();
  const anchors = new Map<string, Node>();
  const sizes = new Map<Node, number>();
  const faults: Aliases['faults'] = [];
  let values = 0;
  let tooMuch = false;

  /** Values below a node with its aliases written out. */
  const measure = (node: unknown): number => {
    if (tooMuch) return 0;
    if (isPair(node)) {
      const size = measure(node.key) + measure(node.value);
      if (faults.length === 0 && isMergeKey(node.key) && !merges(node)) {
        const message = '<< takes a mapping, or a list of mappings: give an alias (*name) of one';
        faults.push({ node: node.key, message });
      }
      return size;
    }
    if (isAlias(node)) return 1 + follow(node);
    const { anchor } = (node ?? {}) as { anchor?: string };
    if (anchor !== undefined) anchors.set(anchor, node as Node);
    let size = 1;
    if (isMap(node) || isSeq(node)) for (const item of node.items) size += measure(item);
    if (anchor !== undefined) sizes.set(node as Node, size);
    return size;
  };

  const follow = (alias: Alias): number => {
    const name = alias.source;
    const target = anchors.get(name);
    const size = target && sizes.get(target);
    if (target && size !== undefined) {
      targets.set(alias, target);
      values += size;
    }
    tooMuch = targets.size > MOST_ALIASES || values > MOST_VALUES;
    const message =
      target === undefined
        ? `*${name} refers to an anchor &${name} that does not stand above it`
        : size === undefined
          ? `*${name} stands within &${name}, so that it would hold itself: write the value out`
          : targets.size > MOST_ALIASES
            ? `more than ${MOST_ALIASES} aliases (*name) in one file: write the values out`
            : `the aliases up to *${name} stand for more than ${MOST_VALUES} values: aliases of aliases grow fast; write the values out`;
    if (size === undefined || tooMuch) faults.push({ node: alias, message });
    return size ?? 0;
  };

  const merges = ({ value }: Pair): boolean => {
    const resolved = (item: unknown): unknown => (isAlias(item) ? targets.get(item) : item);
    const source = resolved(value);
    return isMap(source) || (isSeq(source) && source.items.every((item) => isMap(resolved(item))));
  };

  measure(doc.contents);
  return { targets, faults };
}

/** A merge key is a symbol of its own, so that "<<" in quotes stays a name. */
export const isMergeKey = (key: unknown): key is Node => isScalar(key) && typeof key.value === 'symbol';
