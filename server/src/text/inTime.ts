/**
 * A limit of time for regular expressions that a file brings along: JavaScript's matching goes back over a text again
 * and again, and a pattern such as `(a+)+$` never comes to an end. A call costs a tenth of a millisecond.
 */
import { createContext, Script } from 'node:vm';

/** The work was ended. */
export class TooSlow extends Error {}

const script = new Script('work()');
const context: Record<string, unknown> = {};
createContext(context);

/**
 * What `work` gives, which must not wait for anything.
 * @param seconds after which it is ended
 * @throws TooSlow, and what `work` throws
 */
export function inTime<T>(seconds: number, work: () => T): T {
  const before = context['work'];
  context['work'] = work;
  try {
    return script.runInContext(context, { timeout: Math.ceil(seconds * 1000) }) as T;
  } catch (error) {
    if ((error as { code?: string } | null)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new TooSlow(`it takes longer than ${seconds} s`, { cause: error });
  } finally {
    context['work'] = before;
  }
}
