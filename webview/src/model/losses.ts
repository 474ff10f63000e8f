/** Losses of a split in three numbers. Pure: no DOM. */
export interface LossSummary {
  mean: number | null;
  lowest: number | null;
  highest: number | null;
}

/** Mean nats per counted token over samples, each sample counting once; nulls for an empty list. */
export function lossSummary(loss: readonly number[]): LossSummary {
  const finite = loss.filter((value) => Number.isFinite(value));
  if (finite.length === 0) return { mean: null, lowest: null, highest: null };
  return {
    mean: finite.reduce((sum, value) => sum + value, 0) / finite.length,
    lowest: finite.reduce((a, b) => Math.min(a, b)),
    highest: finite.reduce((a, b) => Math.max(a, b)),
  };
}
