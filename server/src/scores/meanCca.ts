/** Mean canonical correlation of a layer's output with a view (`canonical.ts`): all directions count alike. */
import { canonical, canonicalScore } from './canonical.ts';
import { defineScore } from './types.ts';

export const meanCca = defineScore({
  ...canonical,
  id: 'mean_cca',
  version: 1,
  title: 'Mean CCA with a view',
  formula: 'mean of the canonical correlations on unseen vectors',
  source: 'Raghu et al., arXiv 1706.05806; cross-validated as by Pasad et al., arXiv 2211.03929',
  fitted: (observed, options, { model: { layers }, view }) =>
    canonicalScore('mean', observed, options, { layers, view: view! }),
});
