/**
 * What is wrong with an experiment beyond its text: model, data, splits, templates and the other sections. Each is
 * tried as the commands do it, up to the first run of the model.
 */
import path from 'node:path';
import { sideWords } from '../../../../protocol/samples.ts';
import type { LayerifError } from '../../../../protocol/errors.ts';
import type { Experiment, Task } from '../../../../protocol/experiment.ts';
import type { Machine } from '../../../../protocol/run.ts';
import { besidePath } from '../../checkpoints/openCheckpoint.ts';
import type { Path, Positions, Problem } from '../../config/experiment.ts';
import type { OpenDataset } from '../../data/dataset.ts';
import { exampleOf, shownTask } from '../../data/context.ts';
import { fewshotOf, fewshotSplit, ownSamples } from '../../data/fewshot.ts';
import { hubDatasetOf, revisionsOf } from '../../data/hubDataset.ts';
import { loadTask } from '../../data/loadTask.ts';
import { countSlice, defaultValidation, readSlice } from '../../data/splits.ts';
import type { GraphInputs } from '../../data/graphSamples.ts';
import { knownFault } from '../../files/reading.ts';
import { isGraphPath } from '../../graphs/open.ts';
import type { TextTokenizer } from '../../data/tokenizer.ts';
import { estimators, requireTrainSamples } from '../../estimators/estimators.ts';
import { cachedCommit } from '../../hub/cache.ts';
import { listed } from '../../text/listed.ts';
import { offlineBy } from '../../hub/environment.ts';
import { relativeTo } from '../files/paths.ts';
import { openKnownDataset, tryModel, type Tried } from '../inputs/describe.ts';
import { evaluatedAlone } from '../inputs/evaluatedAlone.ts';
import { leftOut } from '../inputs/evaluationInput.ts';
import { firstRows } from '../inputs/firstRows.ts';
import { isModelAbsent, missingDataset, missingModel, notHere, sizeOf, wantedSplits } from '../inputs/hubInputs.ts';
import { modelRefusals } from '../inputs/modelRefusals.ts';
import { openAtHand } from '../inputs/openExperiment.ts';
import { isOneFolder, withoutAdapter } from '../inputs/modelPath.ts';
import { graphInputs, type OpenedModel } from '../inputs/openModel.ts';
import { outputFault } from '../inputs/outputFolder.ts';
import { behindTheEnd, namedSplits } from './namedSplits.ts';
import { foreseen } from './preparations.ts';
import { told } from './problemPlace.ts';
import { errorOf, refusalsIn, verbsOf } from '../inputs/refusals.ts';
import { limitsOf, sampleRefusals } from '../inputs/sampleRefusals.ts';
import { scopeOf } from '../inputs/scope.ts';
import { unsupported } from '../inputs/supported.ts';
import { tryCheckpoints } from '../inputs/trainingCheckpoints.ts';
import { headBlocks } from '../inputs/units.ts';
import { datasetNamed } from '../../data/datasetNamed.ts';

/** Rows of a slice that `quick` renders. */
const QUICK_ROWS = 20;
/** Tensors that a message names. */
const MOST_NAMES = 4;

export class DiskCheck {
  readonly problems: Problem[] = [];
  readonly #experiment: Experiment;
  readonly #file: string;
  readonly #baseDir: string;
  readonly #positions: Positions;
  readonly #depth: 'quick' | 'full';
  readonly #machine: Machine;
  readonly #datasets = new Map<string, OpenDataset>();
  #tokenizer: TextTokenizer | null = null;
  #graph: GraphInputs | null = null;
  /** Closed: what is left is what its headers say. */
  #opened: OpenedModel | null = null;

  constructor(experiment: Experiment, file: string, positions: Positions, depth: 'quick' | 'full', machine: Machine) {
    this.#experiment = experiment;
    this.#file = file;
    this.#baseDir = path.dirname(file);
    this.#positions = positions;
    this.#depth = depth;
    this.#machine = machine;
  }

  /** @param whole whether the text is right, so that the commands' own preparations can be tried */
  async all(whole: boolean): Promise<void> {
    for (const { path: where, message } of unsupported(this.#experiment, verbsOf(this.#experiment)))
      this.#say([...where], message);
    await this.#model();
    const output = outputFault(this.#experiment.output_dir, this.#baseDir, this.#depth === 'full');
    if (output !== null) this.#say(['output_dir'], output);
    for (const name of Object.keys(this.#experiment.datasets)) await this.#dataset(name);
    for (const [index, task] of this.#experiment.tasks.entries()) await this.#task(task, index);
    for (const { path: where, dataset: name, split } of namedSplits(this.#experiment)) {
      const dataset = this.#datasets.get(name);
      // What cannot be read is left to the command that reads the section: its other parts may go on.
      const said = dataset ? await behindTheEnd(dataset, split).catch(() => []) : [];
      for (const sentence of said) this.#say(where, sentence, 'warning');
    }
    for (const { where, message, wanted } of leftOut(this.#experiment))
      this.#say([...where], message, wanted ? 'warning' : 'information');
    if (
      whole &&
      this.#depth === 'full' &&
      this.#opened &&
      !this.problems.some(({ severity }) => severity === 'error')
    ) {
      await this.#foreseen();
    }
  }

  /** As the commands do that read the other sections, up to the first run of the model. */
  async #foreseen(): Promise<void> {
    if (!this.#allHere()) return;
    const known = new Set(this.problems.map(({ message }) => message));
    const read = { file: this.#file, baseDir: this.#baseDir, experiment: this.#experiment };
    const declares = (key: string) => this.#positions.has([key]);
    for (const { path: where, message, severity, error } of await foreseen(read, this.#machine, declares)) {
      const at = error ? told(error, where) : { key: where, message };
      if (!known.has(at.message)) this.#say(at.key, error ? this.#withPlace(at.message, error) : at.message, severity);
    }
  }

  #allHere(): boolean {
    return Object.keys(this.#experiment.datasets).every((name) => this.#datasets.has(name));
  }

  async #model(): Promise<void> {
    const { model } = this.#experiment;
    if (offlineBy() === null && isModelAbsent(model, this.#baseDir)) return this.#absentModel();
    let opened: Tried | null;
    let adapts = true;
    if (model.adapter === undefined || isOneFolder(model.path, model.adapter, this.#baseDir)) {
      opened = await this.#attempt(['model', 'path'], () => tryModel(this.#experiment, this.#baseDir));
    } else {
      // The model by itself first, so that what is wrong with the adapter stands at the adapter.
      opened = await this.#attempt(['model', 'path'], () => tryModel(withoutAdapter(this.#experiment), this.#baseDir));
      const known = opened?.notes ?? [];
      const adapted =
        opened && (await this.#attempt(['model', 'adapter'], () => tryModel(this.#experiment, this.#baseDir)));
      adapts = adapted !== null;
      const notes = adapted?.notes.filter((note) => !known.includes(note)) ?? [];
      for (const note of notes) this.#say(['model', 'adapter'], note, 'warning');
    }
    for (const note of opened?.notes ?? []) this.#say(['model', 'path'], note, 'warning');
    if (opened === null || this.#depth === 'quick') return;
    if (opened.notRead.length > 0) {
      const some = listed(opened.notRead, MOST_NAMES);
      this.#say(['model', 'path'], `the model does not read ${some} of its files`, 'information');
    }
    await this.#attempt(['model', 'path'], async () => {
      const read = { file: this.#file, baseDir: this.#baseDir, experiment: this.#experiment };
      const opened = openAtHand(read, { model: adapts ? model : { ...model, adapter: undefined } });
      try {
        this.#opened = opened;
        // The tokenizer first: without it, rows of a graph that takes tokens are not rendered.
        if (opened.graph?.tokens !== false) this.#tokenizer = opened.tokenizer;
        this.#graph = graphInputs(opened);
        if (adapts) await this.#scope(opened);
        for (const warning of this.#tokenizer?.warnings ?? []) this.#say(['model', 'path'], warning, 'warning');
      } finally {
        opened.close();
      }
    });
  }

  /** What of the model is scored, beyond layers and modules. */
  async #scope({ checkpoint, model, graph }: OpenedModel): Promise<void> {
    const experiment = this.#experiment;
    const scope = scopeOf(checkpoint, model, experiment.score);
    this.#attempt(['score', 'granularity'], () => headBlocks({ experiment, model, scope }));
    await this.#attempt(['score', 'checkpoints'], () =>
      tryCheckpoints(experiment, this.#baseDir, { checkpoint, model, scope, graph }),
    );
    for (const { path: where, message } of refusalsIn(modelRefusals, { model, graph, experiment }, verbsOf(experiment)))
      this.#say([...where], message);
  }

  /** A hub id that the cache does not hold is no mistake; only the full check asks the hub; nothing downloads here. */
  async #absentModel(): Promise<void> {
    const { model } = this.#experiment;
    const beside = besidePath(path.resolve(this.#baseDir, model.path));
    const where: Path = ['model', 'path'];
    if (this.#depth === 'quick') {
      return this.#say(where, notHere(`model ${model.path}`, beside), beside === '' ? 'information' : 'warning');
    }
    const missing = await this.#attempt(where, () => missingModel(model, this.#baseDir));
    if (missing) this.#say(where, notHere(`model ${model.path}`, beside, sizeOf(missing)), 'information');
  }

  /** As for models. @returns whether the dataset has to wait for a download */
  async #absentDataset(name: string, place: Path): Promise<boolean> {
    const dataset = datasetNamed(this.#experiment.datasets, name);
    const repo = hubDatasetOf(dataset, this.#baseDir);
    if (!repo || offlineBy() !== null) return false;
    const splits = wantedSplits(this.#experiment, name);
    const here = revisionsOf(dataset).some((revision) => cachedCommit(repo, revision) !== null);
    const beside = besidePath(path.resolve(this.#baseDir, repo.id));
    if (this.#depth === 'quick') {
      if (here) return false;
      this.#say(place, notHere(`dataset ${repo.id}`, beside), beside === '' ? 'information' : 'warning');
      return true;
    }
    const before = this.problems.length;
    const missing = await this.#attempt(place, () => missingDataset(name, dataset, splits, this.#baseDir));
    if (missing) this.#say(place, notHere(`dataset ${repo.id}`, beside, sizeOf(missing)), 'information');
    return this.problems.length > before;
  }

  /** Opened in steps, so that a mistake stands at the key that made it. */
  async #dataset(name: string): Promise<void> {
    const { split_column, field_mapping, ...plain } = datasetNamed(this.#experiment.datasets, name);
    const place = plain.arrays ? 'arrays' : plain.path === undefined ? 'data_files' : 'path';
    if (await this.#absentDataset(name, this.#datasetKey(name, place))) return;
    const steps: [
      key: string,
      dataset: typeof plain & { split_column?: string; field_mapping?: Record<string, string> },
    ][] = [
      [place, plain],
      ['field_mapping', { ...plain, field_mapping }],
      ['split_column', { ...plain, field_mapping, split_column }],
    ];
    for (const [key, dataset] of steps) {
      const opened = await this.#attempt(this.#datasetKey(name, key), () =>
        openKnownDataset(name, dataset, this.#baseDir),
      );
      if (!opened) return;
      if (key === 'split_column') {
        this.#datasets.set(name, opened);
        for (const warning of opened.warnings) this.#say(this.#datasetKey(name, place), warning, 'warning');
      }
    }
  }

  /** A dataset that a harness task brought along has no section of its own. */
  #datasetKey(name: string, key: string): Path {
    if (this.#positions.has(['datasets', name])) return ['datasets', name, key];
    const index = this.#experiment.tasks.findIndex((task) => task.dataset === name);
    const files = this.#positions.has(['tasks', index, 'dataset_kwargs']) ? 'dataset_kwargs' : 'dataset_path';
    return ['tasks', index, files];
  }

  async #task(task: Task, index: number): Promise<void> {
    const dataset = this.#datasets.get(task.dataset);
    if (!dataset) return;
    const at = (key: string): Path => ['tasks', index, key];
    const before = this.problems.length;
    if (this.#hasNoTrainingRows(task, dataset, at('training_split')))
      return void (await this.#slice(dataset, task.test_split!, at('test_split')));

    const train = await this.#slice(dataset, task.training_split, at('training_split'));
    const validationText = await this.#attempt(
      at('validation_split'),
      async () => task.validation_split ?? (await defaultValidation(dataset, task.training_split)),
    );
    const validation =
      validationText === null ? null : await this.#slice(dataset, validationText, at('validation_split'));
    if (task.test_split !== undefined) await this.#slice(dataset, task.test_split, at('test_split'));
    if (task.num_fewshot > 0 && ownSamples(task) === null && fewshotSplit(task) !== task.training_split)
      await this.#slice(dataset, fewshotSplit(task), at(task.fewshot_split ? 'fewshot_split' : 'fewshot_config'));
    if (train === null || validation === null || this.problems.slice(before).some((p) => p.severity === 'error'))
      return this.#template(task, dataset, at('doc_to_text'));

    const estimator = estimators.find(({ id }) => id === this.#experiment.score.estimator);
    if (estimator) this.#attempt(at('training_split'), () => requireTrainSamples(estimator, train, task.task));
    // Scores of an encoder have texts of their own.
    if (this.#opened?.graph?.task === 'encoder') return;
    // Loading renders every row, and tokenizes it.
    if (this.#tokenizer || this.#graph) return this.#load(task, at);
    if (isGraphPath(this.#experiment.model.path)) return; // what it takes is not known without it
    const slices = [task.training_split, validationText!];
    await this.#attempt(at('doc_to_text'), () => this.#render(shownTask(task), dataset, slices));
  }

  /** Without the rows that are meant: whether the template goes with any row that is there. */
  async #template(task: Task, dataset: OpenDataset, where: Path): Promise<void> {
    if (this.#graph || isGraphPath(this.#experiment.model.path)) return;
    const bare = { ...shownTask(task), num_fewshot: 0 };
    await this.#attempt(where, () => this.#render(bare, dataset, [`${dataset.splits[0]}[:1]`]));
  }

  /** Whether a task can be evaluated alone, and says so. */
  #hasNoTrainingRows(task: Task, dataset: OpenDataset, key: Path): boolean {
    const sentence = this.#positions.has(key) ? null : evaluatedAlone(task, dataset);
    if (sentence === null) return false;
    const onlyEvaluated = this.#positions.has(['evaluate']) && !this.#positions.has(['score']);
    this.#say([...key.slice(0, 2), 'test_split'], sentence, onlyEvaluated ? 'warning' : 'error');
    return true;
  }

  /** Rows of a slice, or null after a problem. */
  async #slice(dataset: OpenDataset, text: string, where: Path): Promise<number | null> {
    return this.#attempt(where, async () => {
      const count = await countSlice(dataset, text);
      if (count === 0) await readSlice(dataset, text); // says why it is empty
      const said = this.#positions.has(where) ? await behindTheEnd(dataset, text) : [];
      for (const sentence of said) this.#say(where, sentence, 'warning');
      return count;
    });
  }

  async #render(task: Task, dataset: OpenDataset, slices: string[]): Promise<void> {
    const rows = this.#depth === 'quick' ? QUICK_ROWS : Infinity;
    // Which examples a row gets is of no account here, as long as they render.
    const drawn = () => firstRows(dataset, fewshotSplit(task), rows + task.num_fewshot + 1);
    const pool = task.num_fewshot === 0 ? [] : (ownSamples(task) ?? (await drawn()));
    const fewshot = fewshotOf(task, pool, pool.length > task.num_fewshot);
    for (const slice of slices)
      for (const row of await firstRows(dataset, slice, rows)) exampleOf(task, row, fewshot(row));
  }

  async #load(task: Task, at: (key: string) => Path): Promise<void> {
    const { datasets, model, score } = this.#experiment;
    await this.#attempt(at('doc_to_text'), async () => {
      const loaded = await loadTask({
        task,
        datasets,
        baseDir: this.#baseDir,
        maxLength: model.max_length,
        loss: score.loss,
        tokenizer: this.#tokenizer,
        graph: this.#graph,
      });
      const known = new Set(this.problems.map(({ message }) => message));
      for (const warning of loaded.warnings)
        if (!known.has(warning)) this.#say(at('validation_split'), warning, 'warning');
      for (const split of ['train', 'validation'] as const) {
        const texts = loaded[split];
        const limits = limitsOf(this.#opened!.model, this.#opened!.graph);
        const facts = {
          what: `${sideWords[split]} sample`,
          task: task.task,
          texts,
          tokenizer: this.#tokenizer,
          ...limits,
        };
        for (const refused of refusalsIn(sampleRefusals, facts, verbsOf(this.#experiment))) {
          const key = refused.path.length > 0 ? [...refused.path] : at('doc_to_text');
          this.#say(key, this.#withPlace(refused.message, errorOf(refused)));
        }
      }
      for (const warning of loaded.textWarnings) this.#say(at('doc_to_text'), warning, 'warning');
      const samples = [...loaded.train, ...loaded.validation];
      const long = samples.filter(({ truncated }) => truncated).length;
      if (long === 0) return;
      this.#say(
        ['model', 'max_length'],
        `task "${task.task}": ${long} of ${samples.length} samples are longer than max_length ${model.max_length} and keep their ${score.loss === 'target' ? 'last' : 'first'} tokens`,
        'warning',
      );
    });
  }

  #attempt<T>(where: Path, work: () => Promise<T>): Promise<T | null>;
  #attempt<T>(where: Path, work: () => T): T | null;
  #attempt<T>(where: Path, work: () => T | Promise<T>): T | null | Promise<T | null> {
    const failed = (error: unknown): null => {
      const known = knownFault(error);
      if (known === null) throw error;
      const { key, message } = told(known, where);
      this.#say(key, this.#withPlace(message, known));
      return null;
    };
    try {
      const value = work();
      return value instanceof Promise ? value.catch(failed) : value;
    } catch (error) {
      return failed(error);
    }
  }

  /** The row that is to blame stands in the message: the problem itself is placed in the experiment. */
  #withPlace(message: string, { place }: LayerifError): string {
    if (!place) return message;
    const file = relativeTo(this.#baseDir, place.file);
    return `${message} (${file}${place.line === undefined ? '' : `:${place.line}`})`;
  }

  /** What is wrong at one place is said once, however many keys lead there. */
  #say(where: Path, message: string, severity: Problem['severity'] = 'error'): void {
    const { file, line, column } = this.#positions.value(where);
    const said = (p: Problem) => p.message === message && p.file === file && p.line === line && p.column === column;
    if (this.problems.some(said)) return;
    this.problems.push({ ...this.#positions.value(where), message, severity, path: where });
  }
}
