/** Reading `*.layerif-validation.json`: what the page draws is checked here. No `vscode` here. */
import type { ValidationResult } from '../../protocol/validation.ts';

/** Throws an `Error` whose message can be shown as it is. */
export function parseValidation(text: string): ValidationResult {
  const value = JSON.parse(text) as Partial<ValidationResult> | null;
  if (value === null || typeof value !== 'object' || value.format !== 'layerif-validation')
    throw new Error('this file is not a LayerIF validation: "format" must be "layerif-validation"');
  if (value.version !== 1)
    throw new Error(`this validation has version ${JSON.stringify(value.version)}; this LayerIF reads version 1`);
  for (const key of ['protocols', 'skipped', 'layers'] as const)
    if (!Array.isArray(value[key])) throw new Error(`this validation is damaged: "${key}" is missing`);
  for (const key of ['provenance', 'settings', 'model', 'samples'] as const)
    if (typeof value[key] !== 'object') throw new Error(`this validation is damaged: "${key}" is missing`);
  return value as ValidationResult;
}
