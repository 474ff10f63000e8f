/**
 * Balance loss of a router, which keeps all experts in use (Fedus et al. 2021, arXiv 2101.03961, equations 4 to 6; MoLA
 * takes it for every module): with E experts, f_e the share of the assignments that go to expert e and P_e the mean
 * probability of e over the tokens of a step,
 *
 *   L = E Σ f_e P_e,   dL/dp_te = E f_e / tokens      (f_e is a count and has no gradient)
 *
 * It is 1 where assignments or probabilities are even and E at most. Padding counts nowhere; the sums run over all
 * tokens of a step, however they are split into runs.
 */

/** Sums over tokens, one number per expert. */
export interface RouterSums {
  assigned: Float64Array;
  probability: Float64Array;
}

export function noRouterSums(experts: number): RouterSums {
  return { assigned: new Float64Array(experts), probability: new Float64Array(experts) };
}

/** @returns L, and dL/dp of every token, one number per expert */
export function balance({ assigned, probability }: RouterSums, tokens: number): { loss: number; slope: Float64Array } {
  const experts = assigned.length;
  const assignments = assigned.reduce((a, b) => a + b, 0);
  const slope = assigned.map((count) => (experts * count) / assignments / tokens);
  return { loss: slope.reduce((sum, value, e) => sum + value * probability[e], 0), slope };
}
