/**
 * Whether a written answer is right: after SQuAD's normalisation (lower case, no punctuation, no articles, single
 * spaces) it equals one of the right answers or holds one of them as whole words.
 */

/** @param right answers; empty ones, and those without a letter or digit, are left out */
export function holdsAnswer(answer: string, right: readonly string[]): boolean {
  const own = ` ${normalised(answer)} `;
  return right.some((alias) => {
    const words = normalised(alias);
    return words !== '' && own.includes(` ${words} `);
  });
}

export function normalised(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\p{P}\p{S}]/gu, '')
    .split(/\s+/u)
    .filter((word) => word !== '' && !['a', 'an', 'the'].includes(word))
    .join(' ');
}
