/** The throw-away Python environment of the benchmark and the preload that changes MKL's path, both under .cache/bench. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const here = import.meta.dirname;

function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Path of a Python with the pinned peers; made once, again when the pins change. */
export function pythonWithPeers(cache, given) {
  if (given) return given;
  const folder = path.join(cache, 'venv');
  const python = path.join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const lists = ['requirements.txt', 'requirements-nodeps.txt'].map((name) => path.join(here, name));
  const pins = lists.map((file) => fs.readFileSync(file, 'utf8')).join('\n');
  const stamp = path.join(folder, 'pins.txt');
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === pins) return python;
  say(`installing the peers into ${folder} (some minutes, once)`);
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };
  fs.rmSync(folder, { recursive: true, force: true });
  execFileSync(process.platform === 'win32' ? 'python' : 'python3', ['-m', 'venv', folder], quiet);
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', '-r', lists[0]], quiet);
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--no-deps', '-r', lists[1]], quiet);
  fs.writeFileSync(stamp, pins);
  return python;
}

/**
 * PyTorch's MKL has a fast and a slow path; a machine takes one by itself. This is how to show the other one, with a name for it;
 * null where that cannot be done (no Linux, no x86, no C compiler).
 *
 * Not Intel: MKL avoids AVX-512 although the processor has it; a preload answers its vendor check. Intel: MKL is told to stay with
 * AVX2, which gives about the rate that it reaches on other makes (230 of 395 GFLOP/s here, 220 of 480 on an AMD EPYC).
 */
export function otherMklPath(cache) {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  const { vendor, instructions } = machine();
  if (vendor === 'GenuineIntel') {
    const faster = instructions.includes('avx512f');
    return faster
      ? { label: 'its MKL held to AVX2, as on other makes', env: { MKL_ENABLE_INSTRUCTIONS: 'AVX2' } }
      : null;
  }
  const library = path.join(cache, 'mklVendor.so');
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, path.join(here, 'mklVendor.c')], { stdio: 'ignore' });
  } catch {
    say('no C compiler: PyTorch is shown as installed only');
    return null;
  }
  return { label: 'its MKL on the fast path, as on Intel', env: { LD_PRELOAD: library } };
}

export function machine() {
  const info = process.platform === 'linux' ? fs.readFileSync('/proc/cpuinfo', 'utf8') : '';
  const field = (name) => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm').exec(info)?.[1];
  return {
    cpu: field('model name') ?? os.cpus()[0]?.model ?? 'unknown',
    vendor: field('vendor_id') ?? 'unknown',
    instructions: ['avx2', 'avx512f', 'amx_bf16'].filter((flag) => field('flags')?.split(' ').includes(flag)).join(' '),
    cores: os.cpus().length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release()}`,
  };
}

export function packageVersions(python) {
  const code =
    'import json,platform;from importlib.metadata import version as v;' +
    'print(json.dumps({"python":platform.python_version(),**{p:v(p) for p in ("torch","transformers","kronfluence","captum","dattri","bergson")}}))';
  return JSON.parse(execFileSync(python, ['-c', code], { encoding: 'utf8' }));
}
