/**
 * Tells the supervisor which document the work of this loop is for, so that it knows which one does not let it come
 * back.
 */
import { BEGIN, END } from './supervisor/messages.ts';

export async function workingOn<T>(uri: string, work: () => T | Promise<T>): Promise<T> {
  tell(BEGIN, uri);
  try {
    return await work();
  } finally {
    tell(END, uri);
  }
}

/** Sent at once: what follows may never let this loop run again. */
function tell(method: string, uri: string): void {
  if (process.connected)
    process.send?.({ jsonrpc: '2.0', method, params: { uri } }, undefined, undefined, () => undefined);
}
