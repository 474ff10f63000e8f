import type { Lowering } from './lower.ts';

export const fusedForms: Readonly<Record<string, Lowering>> = {};
