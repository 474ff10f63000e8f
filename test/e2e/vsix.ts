/** The VSIX under test: the one that `npm run package` made for this version. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './harness.ts';

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

export const vsix = process.env.LAYERIF_VSIX ?? join(root, '.cache', `layerif-${version}-linux-x64.vsix`);
if (!existsSync(vsix)) throw new Error(`${vsix} is not there. Run npm run package.`);
