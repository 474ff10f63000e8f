/** Which texts an observation is of: a hash that two sets share only where every number does. */
import { createHash } from 'node:crypto';
import type { EncodedSample } from '../../../../protocol/samples.ts';

/**
 * Hash of the token ids, of which are counted, of the classes of a classifier, and of the stretches that are looked at.
 */
export function textsId(samples: readonly EncodedSample[]): string {
  const hash = createHash('sha256');
  for (const { tokens, countedFrom, counted, label, spans, arrays } of samples) {
    hash.update(`${tokens.length} ${countedFrom} `).update(tokens);
    if (counted !== undefined) hash.update(' counted ').update(counted);
    if (label !== undefined) hash.update(` class ${label} `);
    for (const [name, { shape, data }] of Object.entries(arrays ?? {}))
      hash.update(` ${name} ${shape.join()} `).update(data);
    if (spans) hash.update(JSON.stringify(spans));
  }
  return hash.digest('hex').slice(0, 16);
}
