/** Puts one of our pages into a webview and types its messages. */
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { FromPage, PageId, ToPage } from '../../protocol/webview.ts';
import { pageHtml } from './webviewHtml.ts';

export interface Page<Id extends PageId> {
  /** Undelivered messages are no loss: a page that becomes visible asks with `ready`. */
  post(message: ToPage<Id>): void;
}

export function openPage<Id extends PageId>(
  webview: vscode.Webview,
  extensionUri: vscode.Uri,
  page: Id,
  title: string,
  receive: (message: FromPage<Id>) => void,
): Page<Id> & vscode.Disposable {
  const root = vscode.Uri.joinPath(extensionUri, 'dist', 'webview');
  webview.options = { enableScripts: true, enableCommandUris: false, localResourceRoots: [root] };
  const resource = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(root, name)).toString();
  const subscription = webview.onDidReceiveMessage(receive);
  webview.html = pageHtml({
    cspSource: webview.cspSource,
    nonce: randomBytes(18).toString('base64'),
    scriptUri: resource(`${page}.js`),
    styleUri: resource(`${page}.css`),
    page,
    title,
  });
  return {
    post: (message) => {
      void webview.postMessage(message);
    },
    dispose: () => void subscription.dispose(),
  };
}

/** Calls `action` at most once per `milliseconds`, always once more after the last request. */
export function throttled(milliseconds: number, action: () => void): { request: () => void; dispose: () => void } {
  let timer: NodeJS.Timeout | null = null;
  let last = -Infinity;
  const run = () => {
    timer = null;
    last = Date.now();
    action();
  };
  return {
    request: () => {
      if (timer) return;
      timer = setTimeout(run, Math.max(0, last + milliseconds - Date.now()));
    },
    dispose: () => {
      if (timer) clearTimeout(timer);
    },
  };
}

export function assertNever(value: never): never {
  throw new Error(`unexpected message ${JSON.stringify(value)}`);
}
