/** Entropy of classes and mutual information of two divisions of the same things into classes, in nats, from counts. */

/** H = - Σ p log p */
export function entropy(of: ArrayLike<number>, classes: number): number {
  const counts = new Float64Array(classes);
  for (let i = 0; i < of.length; i++) counts[of[i]]++;
  let sum = 0;
  for (const count of counts) if (count > 0) sum -= (count / of.length) * Math.log(count / of.length);
  return sum;
}

/** I(A; B) = H(A) + H(B) - H(A, B) */
export function mutualInformation(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  { classesA, classesB }: { classesA: number; classesB: number },
): number {
  const both = Int32Array.from({ length: a.length }, (_, i) => a[i] * classesB + b[i]);
  return entropy(a, classesA) + entropy(b, classesB) - entropy(both, classesA * classesB);
}
