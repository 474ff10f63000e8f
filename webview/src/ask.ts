/**
 * Questions to the language server through the extension. An answer is kept for as long as the page lives and the
 * result stays the same; while a new question is on its way the last answer stays in sight, so that a slider does not
 * make the page flicker.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Question, Questions } from '../../protocol/webview.ts';
import { onMessage, send } from './host.ts';

interface Waiting {
  resolve: (answer: unknown) => void;
  reject: (error: Error) => void;
}

const waiting = new Map<number, Waiting>();
const kept = new Map<string, Promise<unknown>>();
/** Oldest answers are dropped beyond this many: an hour of sliding must not fill the memory. */
const KEPT = 60;
let requests = 0;
let stopListening: (() => void) | null = null;

/** @param source what the answer depends on beside the question; see `resultKey` */
export function ask<What extends Question>(
  source: string,
  what: What,
  params: Questions[What]['params'],
): Promise<Questions[What]['answer']> {
  stopListening ??= onMessage((message) => {
    if (message.type !== 'answer') return;
    const found = waiting.get(message.requestId);
    waiting.delete(message.requestId);
    if (message.failure !== null) found?.reject(new Error(message.failure));
    else found?.resolve(message.answer);
  });
  const key = JSON.stringify([source, what, params]);
  const known = kept.get(key);
  if (known) return known as Promise<Questions[What]['answer']>;
  const answer = new Promise<unknown>((resolve, reject) => {
    const requestId = ++requests;
    waiting.set(requestId, { resolve, reject });
    send({ type: 'ask', requestId, what, params } as Parameters<typeof send>[0]);
  });
  kept.set(key, answer);
  // What failed, or is not computed yet, may be there later: the next time it is asked again.
  answer.then(
    (value) => {
      if (typeof value !== 'object' || value === null) return;
      if (('error' in value && value.error !== null) || ('influence' in value && value.influence === null))
        kept.delete(key);
    },
    () => kept.delete(key),
  );
  for (const old of [...kept.keys()].slice(0, Math.max(0, kept.size - KEPT))) kept.delete(old);
  return answer as Promise<Questions[What]['answer']>;
}

export interface Asked<What extends Question> {
  /** The last answer, maybe to an earlier question while `pending`. */
  answer: Questions[What]['answer'] | null;
  pending: boolean;
  failure: string | null;
}

/**
 * The answer to a question that follows the controls of a page. `params` null asks nothing. A change waits
 * `milliseconds` for the next one before it is asked.
 */
export function useAnswer<What extends Question>(
  source: string,
  what: What,
  params: Questions[What]['params'] | null,
  milliseconds = 150,
): Asked<What> {
  const key = JSON.stringify([source, what, params]);
  /** `key`: of the question that was answered. */
  const [state, setState] = useState<{ key: string; answer: Asked<What>['answer']; failure: string | null }>({
    key: '',
    answer: null,
    failure: null,
  });
  const first = useRef(true);
  /** One question at a time: what changed meanwhile is asked once, when the answer is there. */
  const line = useRef<{ busy: boolean; next: (() => void) | null }>({ busy: false, next: null });
  useEffect(() => {
    if (params === null) return;
    let current = true;
    const start = () => {
      if (!current) return;
      if (line.current.busy) {
        line.current.next = start;
        return;
      }
      line.current.busy = true;
      const settle = (answer: Asked<What>['answer'] | undefined, failure: string | null) => {
        line.current.busy = false;
        if (current) setState((old) => ({ key, answer: answer === undefined ? old.answer : answer, failure }));
        const next = line.current.next;
        line.current.next = null;
        next?.();
      };
      ask(source, what, params).then(
        (answer) => settle(answer, null),
        (error: Error) => settle(undefined, error.message),
      );
    };
    const timer = setTimeout(start, first.current ? 0 : milliseconds);
    first.current = false;
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [key]);
  if (params === null) return { answer: null, pending: false, failure: null };
  const pending = state.key !== key;
  return { answer: state.answer, pending, failure: pending ? null : state.failure };
}

/** Several questions of one kind, answered one after the other; null for what is not there yet or failed. */
export function useAnswers<What extends Question>(
  source: string,
  what: What,
  list: readonly Questions[What]['params'][],
  milliseconds = 250,
): (Questions[What]['answer'] | null)[] {
  const key = JSON.stringify([source, list]);
  const [state, setState] = useState<{ key: string; answers: (Questions[What]['answer'] | null)[] }>({
    key: '',
    answers: [],
  });
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => {
      void (async () => {
        const answers: (Questions[What]['answer'] | null)[] = [];
        for (const params of list) {
          if (!current) return;
          answers.push(await ask(source, what, params).catch(() => null));
          if (current) setState({ key, answers: [...answers] });
        }
        if (current) setState({ key, answers });
      })();
    }, milliseconds);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [key]);
  return state.key === key
    ? state.answers
    : list.map((_, i) => (state.answers.length === list.length ? state.answers[i]! : null));
}
