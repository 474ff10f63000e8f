/**
 * The CUDA runtime that LayerIF installs on request: the provider of ONNX Runtime and NVIDIA's libraries in one folder
 * of the cache, beside a copy of the `libonnxruntime.so.1` that the npm package has, because ONNX Runtime looks for
 * providers beside itself. The engine is started with this folder on LD_LIBRARY_PATH; the package and the extension
 * stay as they are, and removing the folder undoes it all.
 *
 * An installation is built in a folder of another name and renamed into place once everything in it is checked.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import { cacheFolder } from '../../checkpoints/hashFiles.ts';
import { cudaOnnxruntime, cudaPackages, type CudaPackage } from './cudaPackages.ts';
import { freeDisk } from './machine.ts';
import { fetchWheel, packageIndex, unpack } from './wheels.ts';
import { makeFolders } from '../../files/writing.ts';

const MANIFEST = 'layerif-cuda-runtime.json';

export interface CudaRuntime {
  /** Of the installation; libraries lie in `lib`, licences in `licences`. */
  folder: string;
  onnxruntime: string;
  packages: { name: string; version: string; sha256: string; files: string[] }[];
}

export interface InstallOptions {
  /** The optional packages too. */
  optional?: boolean;
  /** For tests: other packages, another index, another place, another platform. */
  packages?: readonly CudaPackage[];
  index?: string;
  base?: string;
  platform?: string;
  onProgress?: (done: number, total: number, message: string) => void;
  signal?: AbortSignal;
}

function baseFolder(): string {
  return path.join(cacheFolder(), 'cuda-runtime');
}

/** The installation for this version of ONNX Runtime, or null. */
export function installedCudaRuntime(base = baseFolder()): CudaRuntime | null {
  const folder = path.join(base, cudaOnnxruntime);
  try {
    const { onnxruntime, packages } = JSON.parse(fs.readFileSync(path.join(folder, MANIFEST), 'utf8')) as Omit<
      CudaRuntime,
      'folder'
    >;
    const files = packages.flatMap((row) => row.files);
    const whole =
      onnxruntime === cudaOnnxruntime && files.every((name) => fs.existsSync(path.join(folder, 'lib', name)));
    return whole ? { folder, onnxruntime, packages } : null;
  } catch {
    return null;
  }
}

/** What an engine that may use CUDA is started with. */
export function cudaEnvironment(base = baseFolder()): Record<string, string> {
  const installed = process.platform === 'linux' && process.arch === 'x64' ? installedCudaRuntime(base) : null;
  if (!installed) return {};
  const rest = process.env.LD_LIBRARY_PATH;
  return { LD_LIBRARY_PATH: [path.join(installed.folder, 'lib'), ...(rest ? [rest] : [])].join(':') };
}

/** What would be installed, in one line each, with its licence: shown before anybody agrees. */
export function cudaOffer(
  optional: boolean,
  packages = cudaPackages,
): { lines: string[]; download: number; kept: number } {
  const chosen = packages.filter((row) => optional || !row.optional);
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
  return {
    lines: chosen.map(
      ({ name, version, what, download, kept, licence }) =>
        `${name} ${version}: ${what}; ${megabytes(download)} to download, ${megabytes(kept)} on disk; licence: ${licence}`,
    ),
    download: chosen.reduce((sum, row) => sum + row.download, 0),
    kept: chosen.reduce((sum, row) => sum + row.kept, 0),
  };
}

/** @throws LayerifError; whatever goes wrong, an installation that was there before stays */
export async function installCudaRuntime(options: InstallOptions = {}): Promise<CudaRuntime> {
  const { signal, onProgress, base = baseFolder(), index = packageIndex() } = options;
  const platform = options.platform ?? `${process.platform}-${process.arch}`;
  if (platform !== 'linux-x64') {
    throw new LayerifError(
      'deviceUnavailable',
      `the CUDA runtime is there for linux-x64 only, and this is ${platform}; layerif devices shows which devices work here`,
    );
  }
  const own = npmOnnxruntime();
  const packages = (options.packages ?? cudaPackages).filter((row) => options.optional || !row.optional);
  const total = packages.reduce((sum, row) => sum + row.download, 0);
  const largest = Math.max(...packages.map(({ download }) => download));
  const needed = packages.reduce((sum, row) => sum + row.kept, 0) + largest;
  makeFolders(base);
  const free = freeDisk(base);
  if (free < needed) {
    throw new LayerifError(
      'notEnoughDisk',
      `the CUDA runtime takes ${(needed / 1e9).toFixed(2)} GB while it is installed, ${base} has ${(free / 1e9).toFixed(2)} GB; free some, or set XDG_CACHE_HOME to another disk`,
    );
  }
  // What an installation that was killed left behind goes with the next one.
  for (const name of fs.readdirSync(base))
    if (/^\.(partial|old)-/.test(name)) fs.rmSync(path.join(base, name), { recursive: true, force: true });
  const partial = fs.mkdtempSync(path.join(base, '.partial-'));
  try {
    const [lib, licences] = [path.join(partial, 'lib'), path.join(partial, 'licences')];
    fs.mkdirSync(lib);
    fs.mkdirSync(licences);
    const manifest: Omit<CudaRuntime, 'folder'> = { onnxruntime: cudaOnnxruntime, packages: [] };
    let done = 0;
    for (const row of packages) {
      const wheel = path.join(partial, 'wheel.whl');
      const report = (bytes: number) => onProgress?.((done += bytes), total, `${row.name} ${row.version}`);
      await fetchWheel(index, row, wheel, report, signal);
      const files = await unpack(
        wheel,
        lib,
        (entry) => (row.libraries.test(path.posix.basename(entry)) ? path.posix.basename(entry) : null),
        signal,
      );
      if (files.length === 0) throw new LayerifError('failed', `${row.file} holds none of the libraries it should`);
      await unpack(wheel, licences, (entry) => licenceName(row.name, entry), signal);
      fs.rmSync(wheel);
      manifest.packages.push({ name: row.name, version: row.version, sha256: row.sha256, files });
    }
    fs.copyFileSync(own, path.join(lib, path.basename(own)));
    fs.writeFileSync(path.join(partial, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
    signal?.throwIfAborted();
    replace(path.join(base, cudaOnnxruntime), partial);
  } finally {
    fs.rmSync(partial, { recursive: true, force: true });
  }
  return installedCudaRuntime(base)!;
}

/** @returns whether there was one */
export function removeCudaRuntime(base = baseFolder()): boolean {
  const folder = path.join(base, cudaOnnxruntime);
  if (!fs.existsSync(folder)) return false;
  const old = path.join(base, `.old-${process.pid}`);
  fs.renameSync(folder, old); // gone at once, even when deleting takes a while
  fs.rmSync(old, { recursive: true, force: true });
  return true;
}

/** A folder that is in the way is moved aside first, and back when the rename fails. */
function replace(folder: string, by: string): void {
  const old = path.join(path.dirname(folder), `.old-${process.pid}`);
  const there = fs.existsSync(folder);
  if (there) fs.renameSync(folder, old);
  try {
    fs.renameSync(by, folder);
  } catch (error) {
    if (there) fs.renameSync(old, folder);
    throw error;
  }
  fs.rmSync(old, { recursive: true, force: true });
}

function licenceName(name: string, entry: string): string | null {
  const last = path.posix.basename(entry);
  return /\.dist-info\//.test(entry) && /licen[cs]e|notice/i.test(last) ? `${name}-${last}` : null;
}

/** @throws LayerifError when it is of another version than the provider */
function npmOnnxruntime(): string {
  const manifest = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  const { version } = JSON.parse(fs.readFileSync(manifest, 'utf8')) as { version: string };
  if (version !== cudaOnnxruntime) {
    throw new LayerifError(
      'deviceUnavailable',
      `the CUDA runtime is for ONNX Runtime ${cudaOnnxruntime}, and ${version} is installed; install a LayerIF in which both are equal`,
    );
  }
  return path.join(path.dirname(manifest), 'bin/napi-v6/linux/x64/libonnxruntime.so.1');
}
