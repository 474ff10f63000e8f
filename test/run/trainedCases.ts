/** Trainings of the tiny workspace whose written folders Python reads too (test/reference/training/written.py). */
import fs from 'node:fs';

const settings = 'steps: 6, batch_size: 4, learning_rate: 0.01, schedule: cosine, warmup_steps: 1, seed: 3';

/** The section `train`. */
export const trainedCases = {
  lora: `{ ${settings}, rank: 2, alpha: 6, layers: "1-2" }`,
  lora_attention: `{ ${settings}, rank: 3, modules: ["self_attn.*"], optimizer: sgd, momentum: 0.9 }`,
  full: `{ ${settings}, method: full, layers: [1] }`,
} as const;

export function withTraining(experiment: string, section: string): void {
  fs.appendFileSync(experiment, `\ntrain: ${section}\n`);
}
