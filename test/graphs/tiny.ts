/** A folder with one of the reference graphs, a tokenizer of single characters, and datasets for text and images. */
import fs from 'node:fs';
import path from 'node:path';
import { folder as graphs } from './reference.ts';

/** Ids below 61: three special tokens, then characters. */
export function tokenizerJson(classifier: boolean): Record<string, unknown> {
  const pieces = ['<pad>', '<s>', '</s>', ...' abcdefghijklmnopqrstuvwxyz.,:ABCDEFGHIJKLMNOPQRSTUVWXY'].slice(0, 61);
  const vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]));
  const special = ['<pad>', '<s>', '</s>'].map((content, id) => ({
    id,
    content,
    special: true,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  }));
  const piece = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  return {
    version: '1.0',
    added_tokens: special,
    normalizer: null,
    pre_tokenizer: null,
    decoder: null,
    post_processor: classifier
      ? {
          type: 'TemplateProcessing',
          single: [piece('<s>'), { Sequence: { id: 'A', type_id: 0 } }, piece('</s>')],
          pair: [],
          special_tokens: {
            '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] },
            '</s>': { id: '</s>', ids: [2], tokens: ['</s>'] },
          },
        }
      : null,
    model: { type: 'BPE', vocab, merges: [], unk_token: null, fuse_unk: false, byte_fallback: false },
  };
}

/** @param experiment lines of the file behind `datasets` */
export function writeGraphWorkspace(folder: string, graph: string, experiment: string): string {
  fs.mkdirSync(folder, { recursive: true });
  fs.copyFileSync(path.join(graphs, `${graph}.onnx`), path.join(folder, `${graph}.onnx`));
  fs.writeFileSync(path.join(folder, 'tokenizer.json'), JSON.stringify(tokenizerJson(graph.startsWith('bert'))));
  const words = ['good film', 'bad film', 'a fine day', 'rain again', 'sun', 'cold wind', 'so so', 'mild'];
  const rows = words.map((text, i) => JSON.stringify({ text, label: i % 3, mood: ['good', 'bad', 'so'][i % 3] }));
  fs.writeFileSync(path.join(folder, 'moods.jsonl'), rows.join('\n') + '\n');
  const file = path.join(folder, 'moods.layerif.yaml');
  fs.writeFileSync(file, experiment);
  return file;
}

export function textExperiment(graph: string, task: string, extra = ''): string {
  return `version: 1
model:
  path: ./${graph}.onnx
  max_length: 20
${extra}datasets:
  moods: { path: moods.jsonl }
tasks:
  - task: mood
    dataset: moods
    training_split: train[:5]
    validation_split: train[5:8]
${task}`;
}
