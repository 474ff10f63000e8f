/**
 * Projection-weighted canonical correlation of a layer's output with a view (`canonical.ts`): the correlations count by
 * how much of the smaller view lies in their direction. Invariant to every invertible linear map of the layer, so that
 * a layer that only turns and stretches is no change; CKA is not.
 */
import { canonical, canonicalScore } from './canonical.ts';
import { defineScore } from './types.ts';

export const pwcca = defineScore({
  ...canonical,
  id: 'pwcca',
  version: 1,
  title: 'PWCCA with a view',
  formula:
    'sum a_i rho_i / sum a_i of canonical correlations rho_i on unseen vectors, a_i = sum_j |<q_i, column j of the smaller view>|',
  source: 'Morcos et al., arXiv 1806.05759; cross-validated as by Pasad et al., arXiv 2211.03929',
  fitted: (observed, options, { model: { layers }, view }) =>
    canonicalScore('pwcca', observed, options, { layers, view: view! }),
});
