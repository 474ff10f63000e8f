/** Mutants that change nothing that can be seen, each with the reason. `change` is as the report prints it, `line` the line's text. */

export interface Equivalent {
  file: string;
  line: string;
  change: RegExp;
  reason: string;
}

export const equivalents: Equivalent[] = [];
