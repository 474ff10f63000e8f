/** Experiment texts that the tests of this folder vary. */

/** A valid file with as little as possible. */
export const small = `version: 1
model:
  path: ./models/tiny
datasets:
  reviews:
    path: data/reviews.jsonl
tasks:
  - task: sentiment
    doc_to_text: "Review: {{text}}\\nSentiment:"
    doc_to_target: label
    doc_to_choice: [negative, positive]
`;

/** Every section and every key that is read. */
export const full = `version: 1
description: Which layers react to reviews?
model:
  path: ./models/tiny
  revision: main
  adapter: ./adapters/reviews
  max_length: 64
  layers_pattern: encoder.layer.{}
datasets:
  reviews:
    path: data/reviews.jsonl
    ds_type: json
    split_column: part
    field_mapping: { text: review, label: sentiment }
  capitals:
    data_files: { train: data/a.csv, validation: [data/b.csv, data/c.csv] }
tasks:
  - task: sentiment
    dataset: reviews
    training_split: train[:300]
    validation_split: train[300:350]
    test_split: test
    fewshot_split: train[:10]
    description: "Reviews. "
    doc_to_text: "Review: {{text}}\\nSentiment:"
    doc_to_target: label
    doc_to_choice: [negative, positive]
    target_delimiter: " "
    fewshot_delimiter: "\\n\\n"
    output_type: multiple_choice
    num_fewshot: 2
    metric_list:
      - metric: acc
  - task: capitals
    dataset: capitals
    doc_to_text: question
    doc_to_target: answer
score:
  estimator: fisher
  damping: { rule: absolute, factor: 0.01 }
  loss: target
  aggregation: top25
  modules: ["mlp.*"]
  layers: "2-4"
  projection: none
  params: base
  seed: 7
allocate:
  experts: { total: 160, beta: 3 }
  rank: { total: 240 }
  sparsity: { ratio: 0.5, epsilon: 0.3 }
prune:
  method: wanda
  calibration: { dataset: reviews, split: "train[:128]", max_length: 2048 }
evaluate:
  tasks: [sentiment]
  perplexity: { dataset: reviews, split: "train[350:400]" }
  gate: { max_drop: 0.01 }
output_dir: out
`;
