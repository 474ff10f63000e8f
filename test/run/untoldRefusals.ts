/**
 * Refusals of the commands that the files of an experiment do not tell beforehand, or that another test shows, by room
 * and file of `server/src/run`: the begin of the sentence ('' for all of the file), and why.
 */
const request = 'about what is asked for beside the file';
const result = 'about results and other files that earlier runs wrote';
const run = 'told by the run alone';
const earlier = 'the file itself, or the reading of the rows, is refused before';
const hub = 'about what lies on the hub';

export const untold: Record<string, Record<string, readonly (readonly [begin: string, why: string])[]>> = {
  inputs: {
    'chat.ts': [["the model's chat template refuses a conversation", request]],
    'dataRows.ts': [['', request]],
    'evaluationInput.ts': [['there is no task', earlier]],
    'hubConfig.ts': [['', hub]],
    'inspectFile.ts': [['', request]],
    'linesWithout.ts': [['', result]],
    'modelHeader.ts': [['', request]],
    'prepare.ts': [['', request]],
    'refusals.ts': [['', 'rows of the tables, see refusalTable.test.ts']],
    'sampleText.ts': [['', request]],
    'scope.ts': [['score.layers: layer … has none of the scored modules', 'shown by lora.test.ts']],
  },
  scores: {
    'answerTexts.ts': [['row … of dataset "…" has an empty prompt', 'needs a tokenizer that adds no token by itself']],
    'dataScores.ts': [['', run]],
    'factCompletions.ts': [['', run]],
    'followed.ts': [['score … cannot follow …:', run]],
    'graphScores.ts': [
      [
        'score … reads hidden states per layer',
        'of networks whose layers have several widths: these take rows of images',
      ],
    ],
    'labelledTexts.ts': [['row … of dataset "…" has an empty text', 'needs a tokenizer that adds no token by itself']],
    'observedRows.ts': [['', result]],
    'measure.ts': [['', request]],
    'ownAnswers.ts': [
      ["the model's own answers", request],
      [
        '… is an ONNX graph, which writes no answers',
        'scores of answers read what graphs do not give, and say so before',
      ],
    ],
    'rowInfluences.ts': [
      ['… is partial', result],
      ['… has no task', result],
      ['influence as a score of rows', 'a file that asks for it has its influence computed'],
      ['… … since its influence', result],
    ],
    'sampleInfluence.ts': [
      ['changed labels need', request],
      ['… of the … training samples of task … are no longer', result],
    ],
    'scoresFile.ts': [['', result]],
    'textSets.ts': [['there is no task', earlier]],
  },
  train: {
    'trainInput.ts': [
      ['task "…" names no dataset', earlier],
      ['… of … has no rows', earlier],
    ],
  },
  experts: {
    'expertAllocations.ts': [['… holds scores of', result]],
    'trainExpertsInput.ts': [
      ['… has no task', request],
      ['… of … has no rows', earlier],
    ],
  },
  validate: { 'validateContext.ts': [['', 'about the machine, of parts that come while it runs']] },
  prune: {
    'pruneAndCompare.ts': [['', request]],
    'pruneMap.ts': [['… holds scores of', result]],
    'prunedModel.ts': [['the pruned model and its work files take', 'about the free disk']],
  },
  evaluate: { 'evaluate.ts': [['', run]] },
};
