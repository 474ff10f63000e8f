/** A tiny experiment in a temporary folder, and its score. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import type { TestContext } from 'node:test';
import type { Result } from '../../protocol/result.ts';
import type { RunEvent } from '../../protocol/run.ts';
import { scoreExperiment } from '../../server/src/run/influence/score.ts';
import { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import type { ScoreOptions } from '../../server/src/run/influence/score.ts';
import { writeSafetensors, writeTinyWorkspace } from '../tinyLlama.ts';
import type { TinyWorkspaceOptions } from '../tinyLlama.ts';

export const machine = { device: 'cpu', threads: 1 } as const;

/**
 * The engine of a test file's runs: to start one takes longer than most runs of a tiny model. A run gets one of its own
 * by `engine: undefined`.
 */
export const engine = new EnginePool();
after(() => engine.dispose());

export interface Workspace {
  folder: string;
  experiment: string;
  model: string;
  /** Changes a piece of the experiment file. */
  edit: (from: string, to: string) => void;
}

export function tinyWorkspace(t: TestContext, options: TinyWorkspaceOptions = {}): Workspace {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-run-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const { experiment, model } = writeTinyWorkspace(folder, options);
  const edit = (from: string, to: string) => {
    const text = fs.readFileSync(experiment, 'utf8');
    if (!text.includes(from)) throw new Error(`the experiment has no ${JSON.stringify(from)}`);
    fs.writeFileSync(experiment, text.replace(from, to));
  };
  return { folder, experiment, model, edit };
}

/** A LoRA of rank 2 on one matrix of the tiny model's first layer. */
export function writeTinyAdapter(to: string, { bias = false } = {}): void {
  fs.mkdirSync(to);
  const name = 'base_model.model.model.layers.0.self_attn.q_proj';
  const filled = (shape: number[], size: number) => ({ shape, data: new Float32Array(size).fill(0.1) });
  writeSafetensors(path.join(to, 'adapter_model.safetensors'), {
    [`${name}.lora_A.weight`]: filled([2, 32], 64),
    [`${name}.lora_B.weight`]: filled([32, 2], 64),
    ...(bias ? { [`${name}.lora_B.bias`]: filled([32], 32) } : {}),
  });
  const config = { peft_type: 'LORA', r: 2, lora_alpha: 4, target_modules: ['q_proj'], layers_to_transform: [0] };
  fs.writeFileSync(path.join(to, 'adapter_config.json'), JSON.stringify({ ...config, lora_bias: bias }));
}

export async function score(
  file: string,
  options: Partial<ScoreOptions> = {},
): Promise<{ result: Result; resultFile: string; events: RunEvent[] }> {
  const events: RunEvent[] = [];
  const answer = await scoreExperiment({
    file,
    machine,
    engine,
    ...options,
    onEvent: (event) => {
      events.push(structuredClone(event));
      options.onEvent?.(event);
    },
  });
  return { ...answer, events };
}

/** What a run computed, without times and places. */
export function numbersOf(result: Result): unknown {
  return result.tasks;
}
