/** The MCP App: the webview's chart of layers as one HTML file without any address, its bundle and styles inside. */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';

/** Beside the bundles; from the sources, in the repository's `dist`. */
const places = [path.join(import.meta.dirname, 'webview'), path.join(import.meta.dirname, '../../../dist/webview')];

/** @throws LayerifError `failed` where the pages are not built */
export function chartPage(): string {
  const folder = places.find((place) => fs.existsSync(path.join(place, 'chat.js')));
  if (folder === undefined)
    throw new LayerifError('failed', `the chart's page chat.js is not in ${places.join(' or ')}: build LayerIF anew`);
  const part = (name: string) => fs.readFileSync(path.join(folder, name), 'utf8');
  // An element ends at its first closing tag, whatever stands in it.
  const script = part('chat.js').replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
  const styles = part('chat.css').replaceAll('</', '<\\/');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Layer scores</title>
<style>${styles}</style>
</head>
<body>
<div id="root"></div>
<script>${script}</script>
</body>
</html>
`;
}
