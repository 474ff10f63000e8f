/**
 * Which half of a block a module ends: the projections behind attention and behind the MLP, whose outputs are added to
 * the residual stream. With zeros in their place the half adds nothing. A mixture of experts ends with the last matrix
 * of every expert.
 */
export type SubBlock = 'attention' | 'mlp';

const ATTENTION = /^(self_attn|self_attention|attention|attn)\.(o_proj|out_proj|c_proj|dense)$/;
const MLP = /(^|\.)(down_proj|c_proj|fc2|dense_4h_to_h|w2)$/;

/** @param module name below the layer @returns null for a module inside of a half */
export function subBlockOf(module: string): SubBlock | null {
  if (ATTENTION.test(module)) return 'attention';
  return MLP.test(module) ? 'mlp' : null;
}
