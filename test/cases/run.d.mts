export interface Expectation {
  loss: number[] | null;
  check: string | null;
  score: string | null;
}

export interface Outcome {
  got: string;
  verdict: 'equal' | 'differs' | 'read' | 'refused' | 'hangs';
  /** Of every training sample, where it was scored. */
  loss?: number[];
}

export function outcomeOf(experiment: string, expected: Expectation): Outcome;
/** @throws Error when no experiment file lies there */
export function showFolders(folders: readonly string[]): void;
export function cell(text: string): string;
