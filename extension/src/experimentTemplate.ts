/** The text of a new experiment file, as a snippet: Tab goes from one value to the next. No `vscode` here. */
export const experimentTemplate = `version: 1
description: \${1:Which layers matter for my task?}
model:
  path: \${2:./models/my-model}            # folder with config.json and *.safetensors, a .gguf file, or a hub id
  max_length: 128
datasets:
  \${3:reviews}:
    path: \${4:data/reviews.jsonl}        # .jsonl .json .csv .tsv .parquet .arrow .txt
tasks:
  - task: \${5:sentiment}
    dataset: \${3:reviews}
    training_split: train[:300]
    validation_split: train[300:350]
    doc_to_text: "\${6:Review: {{text\\}\\}\\nSentiment:}"
    doc_to_target: \${7:label}
$0`;
