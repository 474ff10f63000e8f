/**
 * Loaded before a process (NODE_OPTIONS=--import): a CUDA device that is the CPU in truth, for the engine and its trials.
 *
 *   LAYERIF_TEST_DEVICE="works"       every session of `cuda` runs
 *   LAYERIF_TEST_DEVICE="lost 12"     the 12th run in the engine and all after it fail as on a GPU that was taken away
 *   LAYERIF_TEST_DEVICE="memory 1"    they fail as on a full GPU
 *   LAYERIF_TEST_DEVICE="wrong 1"     numbers of a trial are wrong
 *   LAYERIF_TEST_DEVICE="crash 1"     loading the provider kills the process
 *   LAYERIF_TEST_DEVICE="helped 1"    no session runs without the CPU's help
 *   LAYERIF_TEST_DEVICE="partly 1"    the trial does, graphs of models with embeddings and losses do not
 */
import { createRequire } from 'node:module';

const [what, from] = (process.env.LAYERIF_TEST_DEVICE ?? 'works 1').split(' ');
const words = {
  lost: 'Non-zero status code returned while running MatMul node. CUDA failure 719: unspecified launch failure ; GPU=0 ; expr=cudaStreamSynchronize',
  memory:
    'Non-zero status code returned while running MatMul node. CUDA failure 2: out of memory ; GPU=0 ; expr=cudaMalloc',
};

if (/engine(Main\.ts|\.cjs)$/.test(process.argv[1] ?? '')) {
  const { InferenceSession } = createRequire(import.meta.url)('onnxruntime-node');
  const create = InferenceSession.create.bind(InferenceSession);
  const isTrial = process.argv.includes('--probe-device');
  let runs = 0;
  InferenceSession.create = async (model, options) => {
    if (options.executionProviders[0] !== 'cuda') return create(model, options);
    if (what === 'crash') process.kill(process.pid, 'SIGSEGV');
    const { disable_cpu_ep_fallback: alone, ...session } = options.extra.session;
    if (
      alone === '1' &&
      (what === 'helped' || (what === 'partly' && !isTrial && Buffer.from(model).includes('Gather')))
    )
      throw new Error(
        'This session contains graph nodes that are assigned to the default CPU EP, but fallback to CPU EP has been explicitly disabled by the user.',
      );
    const own = await create(model, { ...options, executionProviders: ['cpu'], extra: { session } });
    return {
      async run(...feeds) {
        if (!isTrial && words[what] && ++runs >= Number(from)) throw new Error(words[what]);
        const outputs = await own.run(...feeds);
        if (isTrial && what === 'wrong') outputs.product.data[0] += 1;
        return outputs;
      },
      release: () => own.release(),
    };
  };
}
