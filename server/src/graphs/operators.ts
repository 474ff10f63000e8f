/** The operators of user-supplied graphs that gradients pass through, for `layerif list operators`. */
import { rules } from '../autodiff/rules.ts';
import { attentionForms } from './attention.ts';
import { fusedForms } from './fused.ts';
import { oldForms } from './oldForms.ts';

export interface OperatorSupport {
  id: string;
  how: string;
}

/** In alphabetical order, those of ONNX Runtime's own domain last. */
export function operators(): OperatorSupport[] {
  const made = { ...attentionForms, ...fusedForms };
  const names = new Set([...Object.keys(rules), ...Object.keys(made), ...Object.keys(oldForms), 'Constant', 'If']);
  names.delete('ReduceProd'); // read in its older form, but without a gradient
  const how = (op: string): string => {
    if (op === 'Constant') return 'read as a constant';
    if (op === 'If') return 'the branch that is taken, where the condition is the same for all samples';
    const rule = Object.hasOwn(rules, op);
    if (Object.hasOwn(made, op) && !rule) return 'made of other operators';
    return rule && Object.hasOwn(oldForms, op)
      ? 'gradient rule; older forms too'
      : rule
        ? 'gradient rule'
        : 'brought into a newer form';
  };
  const contrib = (op: string): number => Number(op.includes('.'));
  return [...names].sort((a, b) => contrib(a) - contrib(b) || (a < b ? -1 : 1)).map((id) => ({ id, how: how(id) }));
}
