/** Whether results can be written to `output_dir`, for `check`. */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import { urlIn } from '../../text/url.ts';
import { requireWritable } from '../../files/writing.ts';

/**
 * The nearest folder that exists must be one, and ours to write in.
 * @param tried whether a folder is made there and removed again, which alone tells on disks such as /proc
 * @returns what is wrong
 */
export function outputFault(outputDir: string, baseDir: string, tried: boolean): string | null {
  const wanted = path.resolve(baseDir, outputDir);
  if (urlIn(outputDir) !== null && !fs.existsSync(wanted))
    return `output_dir ${outputDir}: it is a URL; give a folder of this machine`;
  let existing = wanted;
  while (!fs.existsSync(existing)) existing = path.dirname(existing);
  try {
    if (!fs.statSync(existing).isDirectory())
      return `output_dir ${outputDir}: ${existing} is a file; choose another folder`;
    fs.accessSync(existing, fs.constants.W_OK);
  } catch {
    return `output_dir ${outputDir}: ${existing} may not be written to; choose another folder`;
  }
  try {
    if (tried) requireWritable(wanted);
    return null;
  } catch (error) {
    if (error instanceof LayerifError) return `output_dir ${outputDir}: ${error.message}`;
    throw error;
  }
}
