/**
 * The experiment file, one zod schema: validator, types, JSON Schema, completion and hover all come from here.
 *
 * To add a key, add it to the object it belongs to with a `doc(...)`: its sentence is what hover and completion show.
 * `examples` feed the messages ("expected text such as ...") and completion. What a key means afterwards is decided in
 * `resolve.ts`; rules between keys stand in `references.ts`; keys of a task in `taskSchema.ts`.
 */
import { z } from 'zod';
import {
  aggregationIds,
  dampingRuleIds,
  estimatorIds,
  prunerIds,
  sparsityUnits,
  tailFits,
} from '../../../protocol/methods.ts';
import { countRules } from '../allocation/countRules.ts';
import { sparsityRules } from '../allocation/sparsityRules.ts';
import { datasetName, doc, filePath, maxLength, textSource } from './words.ts';
import { dataScoreExamples, dataScoresSchema, scoreExamples, scoresSchema } from './scoresSchema.ts';
import { taskSchema } from './taskSchema.ts';
import { trainExpertsSchema } from './trainExpertsSchema.ts';
import { layerList } from './layerList.ts';
import { trainSchema } from './trainSchema.ts';
import { validateSchema } from './validateSchema.ts';

const modelSchema = z.strictObject({
  path: filePath.meta({
    description:
      'The checkpoint: a folder with config.json and *.safetensors files, a .gguf file, a .onnx file, or a Hugging Face Hub id (org/name; an existing path wins). Relative to this file.',
    examples: ['./models/SmolLM2-135M-Instruct', './models/model.gguf'],
  }),
  revision: doc(z.string().min(1), 'Branch, tag or commit; for Hub ids only.', ['main']).optional(),
  adapter: doc(filePath, 'Folder of a PEFT LoRA adapter that is applied to the model.', [
    './adapters/reviews',
  ]).optional(),
  max_length: doc(
    maxLength.default(128),
    'Tokens of a sample that are kept; a longer text keeps its first ones (its last ones with `loss: target`). Aliases: sequence_len, cutoff_len.',
  ),
  sequence_len: doc(maxLength, 'The same as max_length (the word of axolotl).').optional(),
  cutoff_len: doc(maxLength, 'The same as max_length (the word of LLaMA-Factory).').optional(),
  layers_pattern: doc(
    z.string().min(1),
    'How the layers of an .onnx model are named, where they are not found by themselves; {} stands for the index.',
    ['encoder.layer.{}'],
  ).optional(),
  output: doc(
    z.string().min(1),
    'Which output of an .onnx model holds the logits, where it is not called logits and not the only one.',
    ['logits'],
  ).optional(),
});

const datasetSchema = z.strictObject({
  path: doc(
    filePath,
    'A .jsonl, .json, .csv, .tsv, .parquet, .arrow or .txt file, a folder (also one that `save_to_disk` of datasets wrote), a glob, or a Hub id. A single file is all split `train`, in file order.',
    ['data/reviews.jsonl', 'data/train-*.parquet'],
  ).optional(),
  data_files: doc(
    z.union([
      filePath,
      z.array(filePath).min(1),
      z.record(z.string().min(1), z.union([filePath, z.array(filePath).min(1)])),
    ]),
    'Files by split, Hugging Face style, instead of path; with the id of a Hub dataset as path, files of its repository. A path or a list alone is split `train`.',
    [{ train: 'data/train.parquet', validation: 'data/validation.parquet' }],
  ).optional(),
  arrays: doc(
    z.record(z.string().min(1), filePath),
    'Instead of path: a .npy file for each column; its first axis runs over the rows. All rows are split `train`.',
    [{ pixel_values: 'data/images.npy', label: 'data/labels.npy' }],
  ).optional(),
  name: doc(
    z.string().min(1),
    'Subset (configuration) of a Hub dataset; `dataset_name` in harness task files.',
  ).optional(),
  revision: doc(z.string().min(1), 'Branch, tag or commit of a Hub dataset; default main.', ['main']).optional(),
  ds_type: doc(
    z.enum(['json', 'csv', 'tsv', 'parquet', 'arrow', 'text']),
    'Format of the files, where the ending does not tell.',
  ).optional(),
  field: doc(
    z.string().min(1),
    'JSON files that hold one object: the property whose array holds the rows, as in load_dataset("json", field=...). Without it: the only property that is an array of objects.',
    ['data'],
  ).optional(),
  split_column: doc(z.string().min(1), 'Takes the split of each row from this column.', ['split']).optional(),
  field_mapping: doc(
    z.record(z.string().min(1), z.string().min(1)),
    'New names for columns, new name: column name. Templates may use both.',
    [{ text: 'review', label: 'sentiment' }],
  ).optional(),
});

const dampingRules = z.enum(dampingRuleIds);
const factor = z.number().positive();

const scoreSchema = z.strictObject({
  estimator: doc(
    z.enum(estimatorIds).default('datainf'),
    'How influence is computed from gradients: datainf (closed form of DataInf), fisher (exact damped empirical Fisher), dot (gradient dot product), and others. `layerif list estimators` says what is available.',
  ),
  damping_factor: doc(
    factor,
    'Short for `damping: { rule: mean_square, factor: ... }`; 0.1 when nothing is said.',
    [0.1],
  ).optional(),
  damping: doc(
    z.strictObject({
      rule: doc(
        dampingRules.default('mean_square'),
        'mean_square: factor times the mean squared gradient entry of each weight matrix (DataInf); absolute: the factor itself; mean_eigenvalue: factor times the mean eigenvalue of the Fisher within its rank.',
      ),
      factor: doc(factor.default(0.1), 'Above 0.'),
    }),
    'How large the damping of the Fisher is, per weight matrix.',
  ).optional(),
  loss: doc(
    z.enum(['all', 'target']).default('all'),
    'all: the mean over every token (LayerIF); target: over the tokens of the answer alone.',
  ),
  aggregation: doc(
    z.enum(aggregationIds).default('positive'),
    'From the influence of training samples to the score of a layer: positive sums the helpful samples, top25 the most helpful quarter of them, sum all samples.',
  ),
  modules: doc(
    z.array(z.string().min(1)).min(1).default(['*']),
    'Globs over module names below a layer; `*` is every linear module.',
    [['mlp.*'], ['self_attn.q_proj', 'self_attn.v_proj']],
  ),
  layers: layerList('Layers to score'),
  projection: doc(
    z.union([z.enum(['auto', 'none']), z.int().min(1)]).default('auto'),
    'none: exact gradients; a number k: Kronecker sketch with k dimensions a side; auto: exact where it fits.',
    ['auto', 'none', 64],
  ),
  accumulate: doc(
    z.enum(['auto', 'grams', 'sums']),
    'grams: inner products of all pairs of samples; sums: the influence of all validation samples together from sums of gradients, for datainf and dot, with inner products of 200 samples of each split at most; auto (default): sums where they are cheaper.',
    ['auto', 'grams', 'sums'],
  ).optional(),
  until: doc(
    z.strictObject({
      rank_interval: doc(
        z.number().gt(0).max(1).default(0.33),
        'Most ranks that a rank interval may span, as a share of the layers; two thirds of the layers must keep to it.',
        [0.33],
      ),
      rows: doc(z.int().min(4).default(2000), 'Most training samples of a task.'),
    }),
    'Further rows of the same splits are added, twice as many each time, until the order of layers is settled or the rows are used up.',
    [{ rank_interval: 0.33, rows: 2000 }],
  ).optional(),
  params: doc(
    z.enum(['base', 'lora']).default('base'),
    'Which weights are scored: those of the model, or the factors of its adapter.',
  ),
  per: doc(
    z.enum(['sample', 'pair']),
    'Aggregates over training samples, or over pairs of a training and a validation sample.',
  ).optional(),
  granularity: doc(
    z.enum(['module', 'head']),
    'What has a score of its own below a layer: every module (default), or attention heads too, as rows of the query, key and value matrices and columns of the output matrix. Every part has its own damping.',
  ).optional(),
  relatif: doc(
    z.enum(['l', 'theta']),
    'For the estimator relatif, what influence is divided by: l (default), how much a training sample changes its own loss; theta, how much it changes the weights.',
  ).optional(),
  fisher: doc(
    // `true` is a boolean to YAML; both spellings mean the word.
    z.union([z.enum(['true', 'empirical']), z.literal(true)]),
    'For the estimator ekfac, whose gradients make the curvature: true (default), with labels drawn from the model, or empirical, with the labels of the text, which saves about a third of the time.',
    ['true', 'empirical'],
  ).optional(),
  checkpoints: doc(
    z.array(z.strictObject({ path: filePath, learning_rate: z.number().positive() })).min(1),
    'Checkpoints of a training run with their learning rates, for the estimator tracin.',
  ).optional(),
  seed: doc(z.int().min(0).default(0), 'Seed of everything random, few-shot examples included.'),
});

const rule = (words: string) => doc(z.string().min(1), `Which rule shares out: ${words}.`).optional();
const total = doc(z.int().min(1), 'Sum over all layers.').optional();
const beta = doc(z.number().positive(), 'Exponent on the scores; larger is more uneven.').optional();
const minimum = doc(z.int().min(0), 'What every layer gets at least.').optional();
const aggregation = doc(
  z.enum(aggregationIds),
  "Which aggregate of influence is a layer's score; default: that of `score`.",
).optional();
const fit = doc(
  z.enum(tailFits),
  'Which part of the spectrum is its tail, for the AlphaLoRA and AlphaPruning rules.',
).optional();
const seed = doc(z.int().min(0), 'Of the rule random.').optional();
/** One MoLA shape stands for all. */
const countWords = [
  ...new Set(countRules.map(({ id }) => (id.startsWith('mola_') ? 'mola_2468 (any shape)' : id))),
].join(', ');
const choice = (what: string) =>
  doc(
    z.strictObject({ count: doc(z.int().min(1), 'How many layers.').optional(), aggregation }),
    `Which layers ${what}.`,
  ).optional();

const allocateSchema = z.strictObject({
  experts: doc(
    z.strictObject({
      total,
      beta,
      rule: rule(countWords),
      minimum,
      top_k: doc(z.int().min(1), 'Experts that are active per token.').optional(),
      aggregation,
      fit,
      seed,
    }),
    'How many LoRA experts each layer gets.',
  ).optional(),
  rank: doc(
    z.strictObject({
      total,
      beta,
      rule: rule(countWords),
      minimum,
      budget: doc(z.int().min(1), 'Trainable LoRA weights, in place of a total of ranks.').optional(),
      step: doc(z.int().min(1), 'Every rank is a multiple of it.').optional(),
      aggregation,
      fit,
      seed,
    }),
    'Which LoRA rank each layer gets.',
  ).optional(),
  sparsity: doc(
    z.strictObject({
      ratio: doc(z.number().min(0).lt(1), 'Share of weights that are removed over all layers.').optional(),
      epsilon: doc(z.number().min(0), 'How far a layer may differ from the ratio.').optional(),
      lambda: doc(z.number().min(0).max(0.5), 'Of OWL: half the range of sparsities.').optional(),
      rule: rule(sparsityRules.map(({ id }) => id).join(', ')),
      unit: doc(z.enum(sparsityUnits), 'One sparsity for a layer, or one for each matrix.').optional(),
      structure: doc(z.string().min(1), 'unstructured, or N:M with N kept of every M weights.', ['2:4']).optional(),
      paper: doc(z.boolean(), 'As the reference code: what the cap cuts off is not given to other layers.').optional(),
      aggregation,
      fit,
    }),
    'How much of each layer is pruned.',
  ).optional(),
  freeze: choice('are frozen: those with the lowest scores'),
  tune: choice('are tuned: those with the highest scores'),
  drop: choice('are left out: those with the lowest scores'),
});

const pruneSchema = z.strictObject({
  method: doc(
    z.enum(prunerIds),
    'magnitude: the smallest weights go; wanda: the smallest products of weight and input norm, row by row; sparsegpt: second order, the weights that stay are adjusted. Default wanda.',
  ).optional(),
  calibration: doc(
    z.strictObject({ ...textSource, max_length: doc(maxLength, 'Tokens of a calibration text.').optional() }),
    'Texts that the pruner looks at; default: the training samples of the first task.',
  ).optional(),
  sparsity: doc(
    z.number().min(0).lt(1),
    'Share of the prunable weights that is removed, or of the layers with `structure: layers`. Default 0.5.',
    [0.5],
  ).optional(),
  map: doc(
    z.union([z.string().min(1), z.array(z.number().min(0).lt(1)).min(1)]),
    'Sparsity by layer: uniform (default), a rule such as layerif, owl or alphapruning, a file NAME.layerif-allocation.json, or a list with one number a layer.',
    ['uniform', 'layerif'],
  ).optional(),
  by: doc(
    z.string().min(1),
    'A layer score that the map reads in place of influence: an id of `scores`, from the newest result or scores of this experiment.',
    ['block_influence'],
  ).optional(),
  structure: doc(
    z.string().regex(/^(unstructured|layers|\d+:\d+)$/),
    'unstructured; N:M such as 2:4, which keeps N of every M weights; layers, which leaves whole layers out. Default unstructured.',
    ['unstructured', '2:4', '4:8', 'layers'],
  ).optional(),
  output: doc(filePath, 'Folder for the pruned model.').optional(),
});

const evaluateSchema = z.strictObject({
  tasks: doc(z.array(z.string().min(1)).min(1), 'Names of tasks whose accuracy is measured.').optional(),
  perplexity: doc(z.strictObject(textSource), 'Texts whose perplexity is measured.').optional(),
  max_length: doc(
    maxLength,
    "Tokens that the model reads at once; default: the model's positions, at most 2048.",
  ).optional(),
  gate: doc(
    z.strictObject({ max_drop: doc(z.number().min(0), 'Largest loss of quality that still passes.') }),
    'When an evaluation counts as failed.',
  ).optional(),
});

export const experimentSchema = z
  .strictObject({
    version: doc(z.literal(1), 'Version of this format: 1.'),
    description: doc(z.string(), 'What this experiment asks, in your words.').optional(),
    model: doc(modelSchema, 'The language model whose layers are scored.'),
    datasets: doc(z.record(datasetName, datasetSchema), 'Data by name; tasks refer to the names.', [
      { reviews: { path: 'data/reviews.jsonl' } },
    ]).optional(),
    tasks: doc(
      z.array(taskSchema).min(1),
      'What the model should be good at; a task file of lm-evaluation-harness may stand here verbatim.',
    ),
    // Not `default({})`: zod would hand that on without filling in the defaults below it.
    score: doc(scoreSchema.prefault({}), 'How layers are scored.'),
    allocate: doc(allocateSchema, 'Experts, ranks and sparsity by layer, from scores.').optional(),
    prune: doc(pruneSchema, 'Pruning the model by layer.').optional(),
    evaluate: doc(evaluateSchema, 'Measuring the model before and after.').optional(),
    validate: doc(validateSchema, 'Checking influence against retraining.').optional(),
    scores: doc(
      scoresSchema,
      'Layer scores beside influence: ids, or an id with options. Without `score`, they alone are computed.',
      [scoreExamples],
    ).optional(),
    data_scores: doc(
      dataScoresSchema,
      'Scores of rows: which data to train on. Ids, or an id with options; without `score`, nothing else is computed than these and `scores`.',
      [dataScoreExamples],
    ).optional(),
    train_experts: doc(trainExpertsSchema, 'Training LoRA experts for several allocations.').optional(),
    train: doc(trainSchema, 'Fine-tuning LoRA factors or whole matrices.').optional(),
    output_dir: doc(z.string().min(1).default('runs'), 'Folder for results, relative to this file.'),
  })
  .meta({
    title: 'LayerIF experiment',
    description: 'Which layers of a language model matter for your task? An experiment of LayerIF.',
  });

/** What a valid file holds, defaults filled in, aliases not yet replaced. */
export type ParsedExperiment = z.output<typeof experimentSchema>;
export type ParsedDataset = z.output<typeof datasetSchema>;
