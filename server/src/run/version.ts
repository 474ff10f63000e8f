/** The version in package.json: one folder above the bundles in `dist`, three above this file when it runs unbundled. */
import fs from 'node:fs';
import path from 'node:path';

export const version = readVersion();

function readVersion(): string {
  for (const up of ['..', '../../..']) {
    const file = path.join(import.meta.dirname, up, 'package.json');
    if (!fs.existsSync(file)) continue;
    const manifest = JSON.parse(fs.readFileSync(file, 'utf8')) as { name?: string; version?: string };
    if (manifest.name === 'layerif' && manifest.version) return manifest.version;
  }
  return '0.0.0';
}
