/** The way to the extension: typed messages out, snapshots in, and the page's remembered choices. */
import { useEffect, useState } from 'preact/hooks';
import type { FromWebview, ToWebview } from '../../protocol/webview.ts';
import { emptyView, reduceView, restoreChoices } from './model/pageState.ts';
import type { Choices, View } from './model/pageState.ts';

interface VsCodeApi {
  postMessage(message: FromWebview): void;
  getState(): unknown;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

let api: VsCodeApi | null = null;
/** VS Code hands its interface out once per page load. */
const vscode = () => (api ??= acquireVsCodeApi());

export const send = (message: FromWebview) => vscode().postMessage(message);

/** What a page of a panel needs to be there again after a reload of the window. */
export const remember = (state: object) => vscode().setState(state);
export const remembered = (): unknown => vscode().getState();

/** Listens from the first render on and asks for the first snapshot. */
export function useView(): View {
  const [view, setView] = useState(emptyView);
  useEffect(() => {
    const stop = onMessage((message) => setView((old) => reduceView(old, message)));
    send({ type: 'ready' });
    return stop;
  }, []);
  return view;
}

export function onMessage(listen: (message: ToWebview) => void): () => void {
  const listener = (event: MessageEvent<ToWebview>) => {
    if (typeof event.data === 'object' && event.data !== null && 'type' in event.data) listen(event.data);
  };
  window.addEventListener('message', listener);
  return () => window.removeEventListener('message', listener);
}

/** Choices survive a hidden tab and a restart of the editor. */
export function useChoices(): [Choices, (change: Partial<Choices>) => void] {
  const [choices, setChoices] = useState(() => restoreChoices(vscode().getState()));
  const change = (part: Partial<Choices>) =>
    setChoices((old) => {
      const next = { ...old, ...part };
      vscode().setState(next);
      return next;
    });
  return [choices, change];
}
