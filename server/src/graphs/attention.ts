import type { Lowering } from './lower.ts';

export const attentionForms: Readonly<Record<string, Lowering>> = {};
