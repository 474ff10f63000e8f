/**
 * Trained LoRA experts on disk: `experts_config.json` with experts per layer, top-k, rank and alpha in MoLA's words
 * (`number_experts`, `top_k`, `lora_alpha`, `target_modules`), and `experts_model.safetensors` with, for every module,
 * `<module>.router.weight` [experts, in] and of every expert `<module>.lora_A.<e>.weight` [r, in] and
 * `<module>.lora_B.<e>.weight` [out, r]. The names differ from PEFT's, since a program that reads plain LoRA would
 * apply a single expert without a word.
 */
import path from 'node:path';
import type { ExpertSettings } from '../../../../protocol/experts.ts';
import { writeAtomically } from '../../checkpoints/fileBytes.ts';
import { writeSafetensors } from '../../checkpoints/safetensors.ts';
import type { NewTensor } from '../../checkpoints/safetensors.ts';
import type { ExpertModule } from '../../training/expertsFactors.ts';
import type { Parameters } from '../../training/parameters.ts';
import { pytorchPath } from '../train/adapterFiles.ts';
import { makeFolders } from '../../files/writing.ts';

export const EXPERTS_CONFIG = 'experts_config.json';
export const EXPERTS_WEIGHTS = 'experts_model.safetensors';

/** @throws the file system's error; a reader sees the old files or the new ones */
export function saveExperts(
  folder: string,
  modules: readonly ExpertModule[],
  parameters: Parameters,
  { settings, baseModel }: { settings: ExpertSettings; baseModel: string },
): void {
  makeFolders(folder);
  writeSafetensors(
    path.join(folder, EXPERTS_WEIGHTS),
    modules.flatMap((m) => tensorsOf(m, parameters)),
    { format: 'pt' },
  );
  const config = {
    format: 'layerif-lora-experts',
    version: 1,
    base_model_name_or_path: baseModel,
    number_experts: settings.experts,
    top_k: settings.topK,
    r: settings.rank,
    lora_alpha: settings.alpha,
    lora_dropout: 0,
    target_modules: settings.modules,
    routing:
      'softmax over all experts, the top_k largest divided by their sum; output W x + sum of weight * lora_alpha / r * B A x',
  };
  writeAtomically(path.join(folder, EXPERTS_CONFIG), [Buffer.from(`${JSON.stringify(config, null, 2)}\n`)]);
}

function tensorsOf({ module, rows, columns, experts, rank, names }: ExpertModule, parameters: Parameters): NewTensor[] {
  const name = pytorchPath(module);
  const tensor = (below: string, shape: number[], data: Float32Array) => ({
    name: `${name}.${below}.weight`,
    dtype: 'F32' as const,
    shape,
    data,
  });
  const [router, A, B] = [names.router, names.A, names.B].map((weight) => Float32Array.from(parameters.get(weight)!));
  const each = Array.from({ length: experts }, (_, e) => {
    // B of expert e: columns e * rank .. (e + 1) * rank - 1 of all experts' B.
    const own = new Float32Array(rows * rank);
    for (let row = 0; row < rows; row++) {
      const start = row * experts * rank + e * rank;
      own.set(B.subarray(start, start + rank), row * rank);
    }
    const ownA = A.slice(e * rank * columns, (e + 1) * rank * columns);
    return [tensor(`lora_A.${e}`, [rank, columns], ownA), tensor(`lora_B.${e}`, [rows, rank], own)];
  });
  return [tensor('router', [experts, columns], router), ...each.flat()];
}
