/**
 * What Try the Demo writes: files of the example that the extension brings, and its experiment with a model that can be
 * had. No `vscode` here.
 */

export const DEMO_EXPERIMENT = 'sentiment-and-capitals.layerif.yaml';
/** Below `examples/` of the extension, each with the licence that stays with it. */
export const demoFiles: readonly string[] = [
  'data/README.md',
  'data/sentiment.jsonl',
  'data/capitals.csv',
  'data/licenses/sentiment-MIT.txt',
  'data/licenses/capitals-ODbL-1.0.md',
];
export const DEMO_HUB_ID = 'HuggingFaceTB/SmolLM2-135M-Instruct';
/** Copies of it that a workspace may have. */
export const isDemoModel = (path: string): boolean => /(^|\/)SmolLM2-135M-Instruct[^/]*(\/?$|\.gguf$)/i.test(path);

/** @param model path or hub id in place of the one that lies beside the example in the repository */
export function demoExperiment(text: string, model: string): string {
  const own = /^( {2}path: )\.\/models\/.*$/m;
  if (!own.test(text)) throw new Error(`${DEMO_EXPERIMENT} names no model below ./models`);
  return text.replace(own, (_, key: string) => `${key}${model}`);
}
