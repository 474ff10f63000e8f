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
export function cell(text: string): string;
