/**
 * What there is to compute on: every device is tried in a process of its own and measured, and said in one report, for
 * `layerif devices` and *LayerIF: Check Acceleration*.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { DeviceReport, DeviceState, Gpu } from '../../../../protocol/devices.ts';
import type { EngineInfo } from '../../../../protocol/engine.ts';
import type { Machine } from '../../../../protocol/run.ts';
import { installedCudaRuntime } from './cudaRuntime.ts';
import { engineFor } from './enginePool.ts';
import { findRuntime } from './runtimePath.ts';
import { untilEnd } from '../files/ending.ts';
import { version } from '../files/version.ts';

const run = promisify(execFile);

/**
 * @param machine its device is not used: all are tried
 * @throws LayerifError
 */
export function reportDevices(machine: Machine, signal?: AbortSignal): Promise<DeviceReport> {
  return untilEnd(signal, async (onEnd) => {
    const pool = engineFor(undefined, onEnd);
    const own: Machine = { ...machine, device: 'auto', idleMinutes: 0 };
    const info: EngineInfo = await pool.start(own);
    const devices = await pool.work('devices', null, own, undefined, signal);
    return {
      format: 'layerif-devices',
      version: 1,
      layerif: version,
      platform: `${process.platform}-${process.arch}`,
      runtime: findRuntime(machine.runtime).label,
      onnxruntime: info.onnxruntime,
      threads: info.threads,
      auto: info.device,
      devices,
      gpus: await gpus(),
      cudaRuntime: installedCudaRuntime()?.folder ?? null,
    };
  });
}

/** Of the NVIDIA driver's own tool; none where there is no such tool or it does not answer. */
async function gpus(): Promise<Gpu[]> {
  try {
    const query = ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader'];
    const { stdout } = await run('nvidia-smi', query, { timeout: 3000 });
    return stdout.split('\n').flatMap((line) => {
      const [name = '', memory = '', driver] = line.split(',').map((cell) => cell.trim());
      return driver ? [{ name, memory, driver }] : [];
    });
  } catch {
    return [];
  }
}

/** "81 GFLOP/s" */
export function rateWords(flopsPerSecond: number): string {
  const giga = flopsPerSecond / 1e9;
  return giga >= 1000 ? `${(giga / 1000).toPrecision(3)} TFLOP/s` : `${giga.toPrecision(giga < 10 ? 2 : 3)} GFLOP/s`;
}

/** The report as Markdown. */
export function devicesMarkdown(report: DeviceReport): string {
  const { devices, gpus, auto, cudaRuntime } = report;
  const row = ({ device, failure, flopsPerSecond, tried, seconds }: DeviceState) =>
    `| ${[
      `**${device}**`,
      failure ? 'no' : 'works',
      flopsPerSecond === null ? '' : rateWords(flopsPerSecond),
      failure ? escape(`${capital(failure.sentence)}.`) : '',
      failure ? escape(`${capital(failure.advice)}.`) : '',
      `${tried} (${seconds.toFixed(1)} s)`,
    ].join(' | ')} |`;
  const details = devices.filter(({ failure }) => failure && failure.detail !== '');
  return [
    '# LayerIF: acceleration',
    '',
    `With the device \`auto\`, runs take **${auto}** here. Set another with the setting \`layerif.device\` or \`--device\`; a device that is named never becomes another silently.`,
    '',
    '| device | here | float32 products | why not | what to do | what was tried |',
    '| --- | --- | ---: | --- | --- | --- |',
    ...devices.map(row),
    '',
    ...(gpus.length === 0
      ? ['No NVIDIA GPU is reported by `nvidia-smi`.']
      : gpus.map(({ name, memory, driver }) => `- NVIDIA GPU: ${escape(name)}, ${memory}, driver ${driver}`)),
    '',
    cudaRuntime ? `CUDA runtime installed by LayerIF: \`${cudaRuntime}\`` : 'LayerIF has installed no CUDA runtime.',
    '',
    `LayerIF ${report.layerif}, ONNX Runtime ${report.onnxruntime}, ${report.runtime}, ${report.platform}, ${report.threads} threads.`,
    ...(details.length === 0 ? [] : ['', '## Words of the libraries', '']),
    ...details.map(({ device, failure }) => `- ${device}: \`${failure!.detail.replaceAll('`', "'")}\``),
    '',
  ].join('\n');
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
const escape = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
