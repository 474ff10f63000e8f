/** `layerif devices`: what there is to compute on, why not, and the CUDA runtime. */
import { LayerifError } from '../../../protocol/errors.ts';
import type { DeviceReport } from '../../../protocol/devices.ts';
import { cudaOffer, installCudaRuntime, removeCudaRuntime } from '../run/machine/cudaRuntime.ts';
import { rateWords, reportDevices } from '../run/machine/devices.ts';
import { unknown } from './arguments.ts';
import { table } from './format.ts';
import { progressOn } from './progress.ts';
import type { Command, Options, Terminal } from './types.ts';

const actions = ['check', 'install-cuda', 'remove-cuda'];

export const devices: Command = {
  name: 'devices',
  argument: `[${actions.join('|')}]`,
  without: 'check',
  summary: 'show what there is to compute on, why not, and how fast; install CUDA',
  details: `check (also without a word) tries every device in a process of its own and measures those that work.
install-cuda shows packages, sizes and licences; with --yes it downloads, checks and installs them (Linux on x64).
remove-cuda deletes them again.`,
  options: ['json', 'threads', 'yes', 'cudnn'],
  cooperative: true,

  async run(argument, options, terminal) {
    if (argument === 'check') {
      const report = await reportDevices(options.machine, terminal.signal);
      terminal.out(options.json ? `${JSON.stringify(report, null, 2)}\n` : text(report));
      return 0;
    }
    if (argument === 'install-cuda') return install(options, terminal);
    if (argument === 'remove-cuda') {
      terminal.out(removeCudaRuntime() ? 'The CUDA runtime was removed.\n' : 'No CUDA runtime is installed.\n');
      return 0;
    }
    throw unknown('action of layerif devices', argument, actions);
  },
};

async function install(options: Options, terminal: Terminal): Promise<number> {
  const optional = options.flags.has('cudnn');
  const { lines, download, kept } = cudaOffer(optional);
  terminal.err(
    `The CUDA runtime, ${(download / 1e6).toFixed(0)} MB to download, ${(kept / 1e6).toFixed(0)} MB on disk:\n`,
  );
  for (const line of lines) terminal.err(`  ${line}\n`);
  if (!options.flags.has('yes')) {
    throw new LayerifError(
      'badRequest',
      'nothing was installed: layerif devices install-cuda --yes agrees to these licences and installs it',
    );
  }
  const progress = progressOn(terminal);
  const installed = await installCudaRuntime({
    optional,
    signal: terminal.signal,
    onProgress: (done, total, message) => progress.update({ task: '', phase: 'download', done, total, message }),
  }).finally(() => progress.clear());
  terminal.out(`${installed.folder}\n`);
  return 0;
}

function text({ devices: states, auto, gpus, cudaRuntime, ...report }: DeviceReport): string {
  const rows = states.map(({ device, failure, flopsPerSecond }) => [
    device,
    failure ? 'no' : 'works',
    flopsPerSecond === null ? '' : rateWords(flopsPerSecond),
    failure ? `${failure.sentence}; ${failure.advice}` : '',
  ]);
  return [
    ...table([['device', 'here', 'float32 products', ''], ...rows], [2]),
    '',
    `auto takes ${auto} here.`,
    ...gpus.map(({ name, memory, driver }) => `NVIDIA GPU: ${name}, ${memory}, driver ${driver}`),
    ...(cudaRuntime ? [`CUDA runtime: ${cudaRuntime}`] : []),
    `ONNX Runtime ${report.onnxruntime}, ${report.runtime}, ${report.platform}, ${report.threads} threads`,
  ]
    .map((line) => `${line}\n`)
    .join('');
}
