export interface Verdict {
  verdict: 'holds' | 'does not hold' | 'cannot be told';
  because: string;
}
export interface SystemResults {
  systems: Record<string, { seconds: number; n: string; claims: (Verdict & { claim: string })[] }>;
  machine: string;
  date: string;
}
export const systems: readonly { id: string; title: string; paper: string; experiments: string[] }[];
export function against(
  value: number,
  interval: [number, number],
  bound: number,
  n: number,
  words: { below: string; above: string; between: string },
): Verdict;
export function systemsPage(results: SystemResults): string;
export function fileOf(name: string): string;
