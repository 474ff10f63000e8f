/**
 * A page of results as one file that opens in any browser: no script, no network, the page's own styles inside. No
 * `vscode` here.
 */
import { escapeHtml } from './webviewHtml.ts';

export function reportHtml(parts: { title: string; styles: string; markup: string }): string {
  // A style element ends at its first closing tag, whatever the rules say.
  const styles = parts.styles.replaceAll('</', '<\\/');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${escapeHtml(parts.title)}</title>
<style>
${styles}
</style>
</head>
<body class="print-colours vscode-light report">
<main class="page">
${parts.markup}
</main>
</body>
</html>
`;
}
