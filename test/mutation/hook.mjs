/** Loaded before everything in a test run of a mutant, and in the engine processes that it forks: one file reads as it was changed. */
import { registerHooks } from 'node:module';

const text = process.env.LAYERIF_MUTANT;
if (text !== undefined) {
  const { url: mutated, source } = JSON.parse(text);
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      return url === mutated ? { ...loaded, source } : loaded;
    },
  });
}
