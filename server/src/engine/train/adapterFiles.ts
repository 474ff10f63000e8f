/**
 * Trained factors on disk as PEFT writes them: `adapter_config.json` and `adapter_model.safetensors` with the tensors
 * `base_model.model.<module>.lora_A.weight` and `...lora_B.weight`; loads with `PeftModel.from_pretrained`.
 */
import path from 'node:path';
import { writeAtomically } from '../../checkpoints/fileBytes.ts';
import { openAdapter } from '../../checkpoints/peftAdapter.ts';
import { readFloat32, writeSafetensors } from '../../checkpoints/safetensors.ts';
import type { Architecture } from '../../models/types.ts';
import { factorNames } from '../../training/lora.ts';
import type { LoraShape } from '../../training/lora.ts';
import type { Parameters } from '../../training/parameters.ts';
import { makeFolders } from '../../files/writing.ts';

/** First word of PyTorch's paths that published checkpoints of the inner model leave out, by how their names begin. */
const prefixes: readonly [RegExp, string][] = [
  [/^h\./, 'transformer.'],
  [/^(decoder\.)?layers\./, 'model.'],
];

export function pytorchPath(module: string): string {
  return (prefixes.find(([start]) => start.test(module))?.[1] ?? '') + module;
}

/** @throws the file system's error; a reader sees the old files or the new ones */
export function saveAdapter(
  folder: string,
  shapes: readonly LoraShape[],
  parameters: Parameters,
  { alpha, baseModel, architecture }: { alpha: number; baseModel: string; architecture: Architecture },
): void {
  makeFolders(folder);
  const transposed = architecture.modules(0).some((m) => m.transposed);
  writeSafetensors(
    path.join(folder, 'adapter_model.safetensors'),
    shapes.flatMap(({ module, rows, columns, rank }) => {
      const { A, B } = factorNames(module);
      const tensor = (name: string, shape: number[]) => ({
        name: `base_model.model.${pytorchPath(name)}`,
        dtype: 'F32' as const,
        shape,
        data: Float32Array.from(parameters.get(name)!),
      });
      return [tensor(A, [rank, columns]), tensor(B, [rows, rank])];
    }),
    { format: 'pt' },
  );
  const config = {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: baseModel,
    r: shapes[0].rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    bias: 'none',
    fan_in_fan_out: transposed,
    inference_mode: true,
    target_modules: shapes.map(({ module }) => pytorchPath(module)),
  };
  writeAtomically(path.join(folder, 'adapter_config.json'), [Buffer.from(`${JSON.stringify(config, null, 2)}\n`)]);
}

/**
 * Trained matrices as they are stored in the model, in float32: `trained.safetensors`.
 * @throws the file system's error
 */
export function saveMatrices(
  folder: string,
  shapes: ReadonlyMap<string, readonly number[]>,
  parameters: Parameters,
): void {
  makeFolders(folder);
  const tensors = [...shapes].map(([name, shape]) => {
    return { name, dtype: 'F32' as const, shape, data: () => Float32Array.from(parameters.get(name)!) };
  });
  writeSafetensors(path.join(folder, 'trained.safetensors'), tensors, { format: 'pt' });
}

/**
 * The factors of a saved adapter that was trained with the same settings.
 * @throws LayerifError `badModel`; Error naming what differs
 */
export function loadFactors(folder: string, shapes: readonly LoraShape[], alpha: number): Parameters {
  const adapter = openAdapter(folder);
  const parameters: Parameters = new Map();
  for (const { module, rows, columns, rank } of shapes) {
    const found = adapter.factors.get(pytorchPath(module));
    const [a, b] = [found?.A.shape.join(), found?.B.shape.join()];
    if (!found || a !== `${rank},${columns}` || b !== `${rows},${rank}`) {
      throw new Error(
        `adapter ${folder} has ${found ? `factors [${a}] and [${b}]` : 'no factors'} for ${module}; rank ${rank} is trained here, so [${rank},${columns}] and [${rows},${rank}] are needed`,
      );
    }
    const { scale } = adapter.config.factorOf(pytorchPath(module));
    if (scale !== alpha / rank) {
      throw new Error(`adapter ${folder} scales ${module} with ${scale}; this training scales with ${alpha / rank}`);
    }
    const { A, B } = factorNames(module);
    parameters.set(A, Float64Array.from(readFloat32(found.A)));
    parameters.set(B, Float64Array.from(readFloat32(found.B)));
  }
  if (adapter.factors.size > shapes.length) {
    throw new Error(
      `adapter ${folder} has factors of ${adapter.factors.size} modules, ${shapes.length} are trained here`,
    );
  }
  return parameters;
}
