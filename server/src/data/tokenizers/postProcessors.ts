/** `post_processor` of tokenizer.json: the ids that stand before and behind the ids of one text. */
import { makerOf } from './json.ts';
import type { Json } from './json.ts';

export interface Around {
  before: number[];
  behind: number[];
}

const makers: Readonly<Record<string, (settings: Json, inner: Around) => Around>> = {
  TemplateProcessing: (settings, inner) => {
    const tokens = (settings['special_tokens'] ?? {}) as Record<string, { ids?: number[] } | undefined>;
    const parts = (settings['single'] ?? []) as { SpecialToken?: { id: string }; Sequence?: unknown }[];
    const at = parts.findIndex((part) => part.Sequence !== undefined);
    const idsOf = (some: typeof parts): number[] =>
      some.flatMap(({ SpecialToken: named }) => {
        if (!named) return [];
        const ids = tokens[named.id]?.ids;
        if (!ids) throw new Error(`its post_processor names "${named.id}", which its special_tokens lack`);
        return ids;
      });
    if (at < 0) throw new Error('its post_processor has a template without the text');
    return {
      before: [...idsOf(parts.slice(0, at)), ...inner.before],
      behind: [...inner.behind, ...idsOf(parts.slice(at + 1))],
    };
  },
  RobertaProcessing: pair,
  BertProcessing: pair,
  ByteLevel: (_, inner) => inner,
  Sequence: (settings, inner) =>
    ((settings['processors'] ?? []) as Json[]).reduce((now, step) => around(step, now), inner),
};

/** @throws Error for a type that is not in the table */
export function around(settings: Json | null, inner: Around = { before: [], behind: [] }): Around {
  if (settings === null) return inner;
  return makerOf('post_processor', settings, makers)(settings, inner);
}

function pair(settings: Json, inner: Around): Around {
  const idOf = (key: 'cls' | 'sep') => Number((settings[key] as [string, number])[1]);
  return { before: [idOf('cls'), ...inner.before], behind: [...inner.behind, idOf('sep')] };
}
