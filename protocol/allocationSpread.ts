/** What the spread of an allocation says, for the terminal and the editor. Pure. */
import type { Allocation, AllocatedLayer, AllocationKind } from './allocation.ts';

const chooses = (kind: AllocationKind) => kind === 'freeze' || kind === 'tune' || kind === 'drop';
/** Sparsities closer than this are the same to a reader. */
const SAME = 0.005;

/** "2 to 9", "41 to 57 %", "open"; "" where nothing is known. */
export function spreadText(kind: AllocationKind, spread: [number, number] | undefined): string {
  if (!spread) return '';
  const [low, high] = spread;
  if (kind === 'sparsity') {
    const [from, to] = spread.map((share) => String(Math.round(100 * share)));
    return from === to ? `${to}\u00a0%` : `${from} to ${to}\u00a0%`;
  }
  if (chooses(kind)) return low === high ? 'settled' : 'open';
  return low === high ? String(low) : `${low} to ${high}`;
}

/** Null where nothing is known of other samples. */
export function spreadSentence({
  kind,
  layers,
  spread,
}: Pick<Allocation, 'kind' | 'layers' | 'spread'>): string | null {
  if (!spread) return null;
  const moving = layers.filter((layer) => width(layer) > (kind === 'sparsity' ? SAME : 0));
  const level = `${Math.round(100 * spread.level)}\u00a0%`;
  const where = `On other samples of this kind (${level} of ${spread.replicates} draws)`;
  const [first, ...rest] = moving;
  if (!first) return `${where} every layer gets the same.`;
  const of = `${moving.length} of ${layers.length} layers`;
  if (chooses(kind)) return `${where} the choice is open for ${of}; the others are chosen, or not, in all of them.`;
  const widest = rest.reduce((best, layer) => (width(layer) > width(best) ? layer : best), first);
  return `${where} ${of} may get another number, layer ${widest.index} most: ${spreadText(kind, widest.spread)}.`;
}

const width = ({ spread }: AllocatedLayer) => (spread ? spread[1] - spread[0] : 0);
