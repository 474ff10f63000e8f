/**
 * The fields of the files that the product writes, as Markdown tables: read from the types in `protocol/` and the
 * comments beside them. A field without a comment takes the words of `usual`, where it has them there.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const protocol = new URL('../protocol/', import.meta.url);

/** Part of docs/result-files.md -> the type at its root. */
const roots = {
  fields_result: ['result', 'Result'],
  fields_scores: ['scores', 'ScoresFile'],
  fields_allocation: ['allocation', 'AllocationFile'],
  fields_validation: ['validation', 'ValidationResult'],
  fields_comparison: ['pruning', 'PruningComparison'],
  fields_pruning: ['pruning', 'PruningReport'],
  fields_experts: ['experts', 'ExpertsResult'],
  fields_evaluation: ['evaluation', 'Evaluation'],
  fields_analysis: ['analysis', 'Analysis'],
  fields_rows: ['rows', 'RowList'],
};

/** Types with pages of their own: not unfolded here. */
const elsewhere = {
  Experiment: 'the experiment as it was read, with defaults; keys as in the experiment file',
  ValidateSettings: 'the section `validate`, with defaults',
  TrainExpertsSettings: 'the section `train_experts`, with defaults',
  AnalysisRequest: 'what was asked, with what was chosen by itself',
  AllocationRequest: 'the options of `layerif allocate`, with defaults',
};

/** Words for fields that mean the same everywhere, by the end of their path; `/` for one at the root. */
const usual = {
  '/score': 'the estimator, and what makes gradients smaller',
  '/samples': 'how many, by side',
  'tables.score': 'id of the score',
  'tables.version': 'of the score',
  'modules.score': 'the same aggregate, of this module alone',
  'error.validation': 'validation samples that were computed both ways',
  'quantity.name': 'what it is',
  'axes.name': 'what its places are',
  'points.name': 'what was changed',
  'rows.truncated': 'whether it was cut at max_length',
  'samples.tokens': 'how many tokens in all',
  'table.columns': 'one entry a column',
  'table.file': 'path, relative to this file',
  'table.sha256': 'of the table',
  'table.rows': 'rows below the header',
  'anova.f': 'F statistic',
  'anova.between': 'degrees of freedom, groups less 1',
  'anova.within': 'degrees of freedom, rows less groups',
  'anova.p': 'of equal means',
  'anova.etaSquared': 'η², share of the sum of squares between groups',
  'levene.statistic': 'F of the distances from medians',
  'levene.p': 'of equal variances',
  'intercept.error': 'standard error',
  'intercept.value': 'where all effects are 0',
  'fixed.factor': 'column',
  'fixed.level': 'what the rows have in it',
  'fixed.value': 'difference to the first level',
  'fixed.error': 'standard error',
  'random.name': 'column',
  'random.deviation': 'standard deviation of the effect',
  'random.levels': 'one entry a level',
  'levels.name': 'what the rows have in the column',
  'levels.value': 'predicted effect',
  'levels.error': 'standard error',
  'tried.count': 'clusters',
  'tried.silhouette': 'mean over rows',
  'refused.message': 'why not',
  format: 'which kind of file this is',
  version: 'of the form of this file',
  status: '`partial` while a run is under way or after a cancel, then `complete`',
  experimentFile: 'absolute path at the time of the run',
  task: 'name of the task',
  model: 'the model that was read',
  'model.name': 'folder or file name, or hub id',
  'model.family': 'architecture, as `layerif list families` has it',
  'model.layers': 'number of layers',
  'model.scoredParameters': 'number of weights that were scored',
  sha256: 'of the weight files',
  layers: 'one entry a layer',
  index: 'of the layer, from 0',
  name: 'its name in the checkpoint, or of the option',
  score: 'the aggregate that the experiment asks for; no unit, only relative size counts',
  positive: 'sum of the positive influences',
  top25: 'sum of the largest quarter of the positive influences',
  sum: 'sum of all influences',
  modules: 'by module name below the layer',
  train: 'training samples',
  validation: 'validation samples',
  samples: 'how many',
  tokens: 'how many tokens',
  truncated: 'whether, or how many, were cut at max_length',
  rows: 'one entry a row, in the order of all lists of samples',
  estimator: 'id of the estimator',
  sign: 'positive influence helps validation',
  seed: 'of random draws',
  rank: 'numbers a side',
  module: 'its name below the layer',
  iterations: 'how many',
  residual: 'relative',
  converged: 'whether the residual is below the tolerance',
  median: 'of the correlations',
  low: 'the lowest correlation',
  high: 'the highest correlation',
  splits: 'how many splits',
  path: 'as in the experiment file',
  learningRate: 'of the optimiser at the checkpoint',
  largestGramError: 'the largest of them',
  validationLoss: 'nats per counted token, mean over validation samples',
  trainLoss: 'nats per counted token, mean over training samples',
  layerif: 'version of the program',
  onnxruntime: 'version of ONNX Runtime',
  device: 'cpu, cuda, ...',
  threads: 'of the engine',
  date: 'ISO 8601, UTC',
  seconds: 'wall clock, in seconds',
  peakMemoryBytes: 'largest memory of the engine, in bytes',
  resumedLayers: 'layers that an interrupted run had finished',
  dataSha256: 'SHA-256 of each data file, by its path',
  provenance: 'where the file comes from',
  tables: 'one entry a score',
  title: 'in words',
  source: 'paper or code',
  formula: 'in ASCII',
  question: 'what it is for',
  subject: 'what a value belongs to',
  options: 'as they were chosen',
  labels: 'of its places',
  words: 'what is said of it',
  level: 'of the intervals, such as 0.9',
  p: 'by chance, one for each value',
  value: 'the number itself',
  values: 'the numbers',
  at: 'indices into `values`',
  notes: 'what a reader must know, a sentence each',
  kind: 'what was allocated',
  rule: 'id of the rule',
  group: 'of an N:M structure',
  zeros: 'removed weights of a group',
  of: 'weights of a group, or rows in all',
  zeroGradient: 'modules without any training gradient',
  settings: 'with defaults filled in',
  tasks: 'one entry a task',
  aggregation: 'which aggregate is the score',
  resultFile: 'path of the result that was read',
  higherMeansMore: 'whether a higher score gives a larger value',
  allocations: 'by kind, or one entry an allocation',
  protocols: 'one entry a protocol that ran',
  protocol: 'id of the protocol',
  reason: 'why not',
  point: 'damping or layer at which it was computed; null where there is none',
  control: 'whether it is a control, or its id',
  difference: 'mean difference',
  interval: 'lower and upper end',
  measures: 'one entry a measure',
  comparisons: 'ways to train that are compared, one entry a measure',
  better: '`lower` or `higher`',
  baseline: 'what the ways are compared with',
  ways: 'one entry a way to train',
  way: 'by what was chosen',
  shares: 'of the rows that are looked at, 0 to 1',
  recall: 'share of the flipped labels that is found, for each share of the rows',
  by: 'what the rows were ordered by',
  predictor: 'estimator or control',
  predicted: 'by the predictor',
  true: 'by retraining',
  retrainings: 'how many trainings were run',
  method: 'pruner id',
  structure: '`unstructured`, `N:M` or `layers`',
  map: 'id or file of the sparsity map',
  requested: 'share that was asked for, 0 to 1',
  achieved: 'share that is zero or gone, 0 to 1',
  calibration: 'texts that Wanda and SparseGPT looked at',
  dataset: 'name in the experiment file',
  split: 'slice, such as train[:128]',
  texts: 'how many texts',
  metric: 'id of the metric',
  higherIsBetter: 'whether more is better',
  higher_is_better: 'by task and metric',
  documents: 'how many were evaluated',
  metrics: 'one entry a metric, or the value by metric',
  prune: 'seconds of the pruning',
  evaluate: 'seconds of the evaluation',
  gate: 'what evaluate.gate said; null without one',
  maxDrop: 'largest fall that is allowed',
  passed: 'whether every fall stays below',
  failures: 'what falls further, a sentence each',
  findings: 'what can be told from chance, a sentence each',
  prunings: 'one entry a pruning',
  evaluated: 'documents that were evaluated',
  id: 'of the rule, or the file name',
  experts: 'number of experts, one a layer',
  topK: 'experts that are active per token, one a layer',
  total: 'sum over layers',
  trainings: 'one entry a seed',
  curve: 'loss of each step, nats per counted token',
  balance: 'balance loss of each step; 1 is even',
  results: 'task -> metric and standard error, as in the harness',
  versions: 'task -> version of the task',
  'n-shot': 'task -> few-shot examples',
  'n-samples': 'task -> documents',
  original: 'documents of the split',
  effective: 'documents that were evaluated',
  configs: 'task -> its resolved keys',
  file: 'path, relative to the folder of the experiment file',
  row: 'from 0, within the file',
  context: 'prompt',
  continuation: 'candidate',
  logLikelihood: 'sum over its tokens, in nats',
  answers: 'as the model wrote them, one for each repeat',
  filtered: 'filter -> what it left of them',
  targets: 'the right answers',
  greedy: 'whether every token is the most probable one',
  candidates: 'one entry a candidate',
  line: 'from 1; null where the format has no lines',
  helps: 'layers in which the row helps',
  harms: 'layers in which the row harms',
};

const sources = new Map(
  readdirSync(protocol)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => [
      name.slice(0, -3),
      ts.createSourceFile(
        name,
        readFileSync(fileURLToPath(new URL(name, protocol)), 'utf8'),
        ts.ScriptTarget.Latest,
        true,
      ),
    ]),
);

/** The declaration of a name as a file sees it: its own, else by its imports. */
function declared(file, name) {
  for (const statement of sources.get(file).statements) {
    const isType = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement);
    if (isType && statement.name.text === name) return { file, node: statement };
  }
  for (const statement of sources.get(file).statements) {
    const from = (ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)) && statement.moduleSpecifier;
    const bindings = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : statement.exportClause;
    if (from && bindings?.elements?.some((one) => one.name.text === name))
      return declared(from.text.replace(/^\.\//, '').replace(/\.ts$/, ''), name);
  }
  return null;
}

/** Members of what a type is made of, with the path to them; none for plain values. */
function inside(file, type) {
  if (ts.isTypeLiteralNode(type)) return { file, members: type.members, suffix: '' };
  if (ts.isArrayTypeNode(type)) return suffixed(inside(file, type.elementType), '[]');
  if (ts.isParenthesizedTypeNode(type)) return inside(file, type.type);
  if (ts.isTypeOperatorNode(type)) return inside(file, type.type);
  if (ts.isUnionTypeNode(type)) {
    const found = type.types.map((one) => inside(file, one)).filter(Boolean);
    return found.length === 1 ? found[0] : null;
  }
  if (!ts.isTypeReferenceNode(type)) return null;
  const name = type.typeName.getText();
  if (name in elsewhere || name === 'Json') return null;
  if (name === 'Record') return suffixed(inside(file, type.typeArguments[1]), '.*');
  if (name === 'Partial') return inside(file, type.typeArguments[0]);
  const found = declared(file, name);
  if (!found) return null;
  if (ts.isTypeAliasDeclaration(found.node)) return inside(found.file, found.node.type);
  return { file: found.file, members: found.node.members, suffix: '' };
}

const suffixed = (found, suffix) => found && { ...found, suffix: suffix + found.suffix };

/** A type as a reader of JSON thinks of it. */
function shown(file, type) {
  if (ts.isArrayTypeNode(type)) {
    const inner = shown(file, type.elementType);
    return `list of ${inner.startsWith('list of') ? inner.replace(/^list/, 'lists') : plural(inner)}`;
  }
  if (ts.isParenthesizedTypeNode(type)) return shown(file, type.type);
  if (ts.isTupleTypeNode(type)) return `list of ${type.elements.length} numbers`;
  if (ts.isIndexedAccessTypeNode(type) || type.kind === ts.SyntaxKind.TypeOperator) return 'string';
  if (ts.isTypeLiteralNode(type)) return 'object';
  if (ts.isLiteralTypeNode(type))
    return type.literal.kind === ts.SyntaxKind.NullKeyword ? 'null' : type.getText().replaceAll("'", '"');
  if (ts.isUnionTypeNode(type)) return [...new Set(type.types.map((one) => shown(file, one)))].join(' or ');
  if (ts.isTypeReferenceNode(type)) {
    const name = type.typeName.getText();
    if (name === 'Record') return `${plural(shown(file, type.typeArguments[1]))} by name`;
    if (name === 'Partial') return shown(file, type.typeArguments[0]);
    if (name in elsewhere || name === 'Json') return 'object';
    const found = declared(file, name);
    if (found && ts.isTypeAliasDeclaration(found.node)) {
      const text = shown(found.file, found.node.type);
      return text.length > 60 ? 'string' : text;
    }
    return found ? 'object' : 'string';
  }
  return type.getText() === 'unknown' ? 'object' : type.getText();
}

const plural = (word) =>
  /^(number|string|boolean|object)( or null)?$/.test(word) ? word.replace(/^\w+/, (w) => `${w}s`) : word;

function comment(node) {
  const docs = node.jsDoc?.at(-1)?.comment;
  return typeof docs === 'string' ? docs.replace(/\s+/g, ' ').trim() : '';
}

function meaning(path, type, member) {
  const own = comment(member);
  if (own !== '') return own.replace(/\.$/, '');
  const referred = ts.isTypeReferenceNode(type) ? type.typeName.getText() : '';
  if (referred in elsewhere) return elsewhere[referred];
  const names = path.replaceAll(/\[\]|\.\*/g, '').split('.');
  const words = usual[`/${path}`] ?? usual[names.slice(-2).join('.')] ?? usual[names.at(-1)];
  if (words === undefined) throw new Error(`result files: the field ${path} has no comment, and no words in \`usual\``);
  return words;
}

/** @returns [path, type, meaning] of every field, depth first */
export function fieldsOf(file, name) {
  const rows = [];
  const walk = (found, prefix) => {
    for (const member of found.members) {
      if (!ts.isPropertySignature(member) || !member.type) continue;
      const key = member.name.text ?? member.name.getText();
      const path = `${prefix}${key}`;
      const optional = member.questionToken ? ', may be missing' : '';
      rows.push([path, `${shown(found.file, member.type)}${optional}`, meaning(path, member.type, member)]);
      const deeper = inside(found.file, member.type);
      if (deeper) walk(deeper, `${path}${deeper.suffix}.`);
    }
  };
  const root = declared(file, name);
  if (!root) throw new Error(`protocol/${file}.ts declares no ${name}`);
  walk({ file: root.file, members: root.node.members }, '');
  return rows;
}

/** Name of a part of the documents -> Markdown. */
export function fieldParts() {
  const cell = (text) => text.replaceAll('|', '\\|').replaceAll('<', '\\<').replaceAll('*', '\\*');
  return Object.fromEntries(
    Object.entries(roots).map(([part, [file, name]]) => {
      const rows = fieldsOf(file, name).map(
        ([path, type, words]) => `| \`${path}\` | ${cell(type)} | ${cell(words)} |`,
      );
      return [part, ['| field | type | what it is |', '| --- | --- | --- |', ...rows].join('\n')];
    }),
  );
}

/** Parts of the Python script that docs/result-files.md shows, by the marks in it. */
export function pythonParts() {
  const script = readFileSync(new URL('../test/reference/files/read.py', import.meta.url), 'utf8');
  const parts = [...script.matchAll(/^# -- (\w+)\n([\s\S]*?)(?=^# -- )/gm)];
  return Object.fromEntries(parts.map(([, name, code]) => [`python_${name}`, `\`\`\`python\n${code.trim()}\n\`\`\``]));
}
