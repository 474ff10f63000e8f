/**
 * The HTML shell of both pages under a strict content security policy: only our own files and one nonce, no `unsafe-*`,
 * no network. Everything visible is drawn by the bundle, so no value of a result ever becomes HTML here. No `vscode`
 * here.
 */
export interface PageParts {
  /** `webview.cspSource`. */
  cspSource: string;
  /** Fresh for every page load. */
  nonce: string;
  scriptUri: string;
  styleUri: string;
  page: 'results' | 'layers' | 'comparison' | 'inspect' | 'header' | 'predict' | 'analysis';
  title: string;
}

export function contentSecurityPolicy({ cspSource, nonce }: Pick<PageParts, 'cspSource' | 'nonce'>): string {
  return [
    `default-src 'none'`,
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource} 'nonce-${nonce}'`,
    `font-src ${cspSource}`,
    `img-src ${cspSource} blob: data:`,
  ].join('; ');
}

export function pageHtml(parts: PageParts): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(contentSecurityPolicy(parts))}">
<title>${escapeHtml(parts.title)}</title>
<link rel="stylesheet" href="${escapeHtml(parts.styleUri)}" nonce="${parts.nonce}">
</head>
<body data-layerif-page="${parts.page}">
<div id="root"></div>
<script type="module" nonce="${parts.nonce}" src="${escapeHtml(parts.scriptUri)}"></script>
</body>
</html>`;
}

const entities = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
]);
export const escapeHtml = (text: string) => text.replace(/[&<>"]/g, (c) => entities.get(c)!);
