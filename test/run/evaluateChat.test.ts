/**
 * Tasks with `apply_chat_template` against lm-evaluation-harness (test/reference/evaluation/chat.py), and the same
 * texts as `score` reads them.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { LayerifError } from '../../protocol/errors.ts';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';
import { templateWarnings } from '../../server/src/data/chatTurns.ts';
import { exampleOf } from '../../server/src/data/context.ts';
import { sampleOf } from '../../server/src/data/samples.ts';
import { createTokenizer } from '../../server/src/data/tokenizer.ts';
import { evaluateExperiment } from '../../server/src/run/evaluate/evaluate.ts';
import { openAtHand, readExperiment } from '../../server/src/run/inputs/openExperiment.ts';
import { engine, machine } from './workspace.ts';

const reference = path.join(import.meta.dirname, '../reference/evaluation');

interface Run {
  template: string | null;
  multiturn: boolean;
  system: string | null;
  samples: Record<string, { arguments: [string, unknown][]; resps: unknown[][] }[]>;
}
const { tasks, runs } = JSON.parse(fs.readFileSync(path.join(reference, 'chat.json'), 'utf8')) as {
  tasks: string[];
  runs: Run[];
};

/** The model of the reference with a chat template, and an experiment beside it. */
function workspace(t: TestContext, template: string | null, text: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-chat-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  fs.cpSync(reference, folder, { recursive: true });
  const edit = (name: string, more: object): void => {
    const file = path.join(folder, 'model', name);
    fs.writeFileSync(file, JSON.stringify({ ...(JSON.parse(fs.readFileSync(file, 'utf8')) as object), ...more }));
  };
  edit('config.json', { max_position_embeddings: 512 });
  edit('tokenizer_config.json', { eos_token: '<bos>' });
  if (template !== null)
    fs.cpSync(
      path.join(reference, `../chat/templates/${template}.jinja`),
      path.join(folder, 'model', 'chat_template.jinja'),
    );
  const file = path.join(folder, 'e.layerif.yaml');
  fs.writeFileSync(file, `version: 1\nmodel: { path: ./model }\n${text}\n`);
  return file;
}

test('contexts, continuations, log-likelihoods and written answers are the harness’ with --apply_chat_template', async (t) => {
  let compared = 0;
  for (const { template, multiturn, system, samples } of runs) {
    const settings = [
      `apply_chat_template: ${template !== null}`,
      `fewshot_as_multiturn: ${multiturn}`,
      `system_instruction: ${JSON.stringify(system)}`,
    ];
    const included = tasks.map((name) => {
      const folder = fs.existsSync(path.join(reference, 'tasks', `${name}.yaml`)) ? 'tasks' : 'chat_tasks';
      return `  - { include: ${folder}/${name}.yaml, ${settings.join(', ')} }`;
    });
    const file = workspace(t, template, `tasks:\n${included.join('\n')}`);
    const { evaluation } = await evaluateExperiment({ file, machine, engine, logSamples: true, limit: 2 });
    for (const name of tasks) {
      const documents = evaluation.samples![name];
      assert.equal(documents.length, samples[name].length, name);
      for (const [d, { arguments: requests, resps }] of samples[name].entries()) {
        const label = `${template} ${multiturn} ${name} ${d}`;
        const { candidates, generated } = documents[d];
        if (name.startsWith('generate')) {
          assert.deepEqual([generated!.context, generated!.answers], [requests[0][0], resps[0]], label);
          compared++;
          continue;
        }
        for (const [c, [context, continuation]] of requests.entries()) {
          const ours = candidates[c];
          if (name === 'rolling') assert.equal(ours.continuation, context, label);
          else assert.deepEqual([ours.context, ours.continuation], [context, continuation], label);
          const value = resps[c][0];
          const [logLikelihood, greedy] = Array.isArray(value) ? (value as [number, boolean]) : [value as number, null];
          assert.ok(Math.abs(ours.logLikelihood - logLikelihood) < 2e-4, `${label}: ${ours.logLikelihood}`);
          if (greedy !== null) assert.equal(ours.greedy, greedy, label);
          compared++;
        }
      }
    }
  }
  assert.ok(compared > 120, `${compared} requests`);
});

test('what is scored: the rendered prompt with the answer, conversations, and the BOS of the template once', (t) => {
  const talk = [
    { role: 'system', content: 's' },
    { role: 'user', content: 'q' },
    { role: 'assistant', content: 'a' },
  ];
  const file = workspace(
    t,
    'llama3',
    `datasets: { talks: { path: talks.jsonl } }
tasks:
  - { task: text, dataset: talks, doc_to_text: "{{ q }}", doc_to_target: "{{ a }}", apply_chat_template: true }
  - { task: whole, dataset: talks, doc_to_text: messages, apply_chat_template: true }
  - { task: last, dataset: talks, doc_to_text: "{{ messages[:-1] }}", doc_to_target: "{{ messages[-1].content }}", apply_chat_template: true }
  - { task: open, dataset: talks, doc_to_text: messages, doc_to_target: "{{ a }}", apply_chat_template: true, output_type: loglikelihood }
  - { task: system, dataset: talks, doc_to_text: "{{ q }}", doc_to_target: "{{ a }}", apply_chat_template: true, system_instruction: be }
  - { task: plain, dataset: talks, doc_to_text: "{{ q }}", doc_to_target: "{{ a }}" }`,
  );
  const values = { q: 'two', a: 'four', messages: talk };
  fs.writeFileSync(path.join(path.dirname(file), 'talks.jsonl'), JSON.stringify(values));
  const opened = openAtHand(readExperiment(file, 'score'));
  t.after(() => opened.close());
  const header = (role: string): string => `<|start_header_id|>${role}<|end_header_id|>\n\n`;
  const said = (role: string, text: string): string => `${header(role)}${text}<|eot_id|>`;
  const row = { values, file, row: 0, line: 1 };
  const texts = Object.fromEntries(
    opened.experiment.tasks.map((task) => {
      const { prompt, answer } = exampleOf(task, row);
      return [task.task, [prompt, answer]];
    }),
  );
  const whole = `<bos>${said('system', 's')}${said('user', 'q')}`;
  assert.deepEqual(texts, {
    text: [`<bos>${said('user', 'two')}${header('assistant')}`, 'four'],
    whole: ['', `${whole}${said('assistant', 'a')}`],
    last: [`${whole}${header('assistant')}`, 'a'],
    open: [`${whole}${header('assistant')}a`, 'four'],
    system: [`<bos>${said('system', 'be')}${said('user', 'two')}${header('assistant')}`, 'four'],
    plain: ['two ', 'four'],
  });

  // The tokenizer of the reference adds no BOS; one that does adds none before that of the template.
  const files = openCheckpoint(path.join(path.dirname(file), 'model')).tokenizer();
  const begins = {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<bos>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [],
    special_tokens: { '<bos>': { id: '<bos>', ids: [0], tokens: ['<bos>'] } },
  };
  const adding = createTokenizer({ ...files, tokenizerJson: { ...files.tokenizerJson, post_processor: begins } });
  for (const loss of ['all', 'target'] as const) {
    const tokens = (name: string): number[] => {
      const task = opened.experiment.tasks.find((one) => one.task === name)!;
      return [...sampleOf(exampleOf(task, row), adding, { maxLength: 300, loss }).tokens.subarray(0, 2)];
    };
    assert.equal(tokens('text')[0], 0);
    assert.notEqual(tokens('text')[1], 0);
    assert.equal(tokens('plain')[0], 0);
  }
  assert.deepEqual(templateWarnings(opened.experiment.tasks[0]), []);
  const model = path.join(path.dirname(file), 'model', 'chat_template.jinja');
  fs.writeFileSync(model, "{{ strftime_now('%Y') }}");
  const again = openAtHand(readExperiment(file, 'score'));
  again.close();
  assert.match(
    templateWarnings(again.experiment.tasks[0])[0],
    /^task "text": the model's chat template reads the clock/,
  );
  const task = opened.experiment.tasks[0];
  const counted = sampleOf(exampleOf(task, row), adding, { maxLength: 300, loss: 'target' });
  assert.equal(adding.decode(counted.tokens.subarray(counted.countedFrom)), '\n\nfour');
});

test('what is wrong with templates and conversations is said with its row', async (t) => {
  const run = (template: string | null, task: string, row: unknown): Promise<unknown> => {
    const file = workspace(
      t,
      template,
      `datasets: { talks: { path: talks.jsonl } }\ntasks:\n  - { task: t, dataset: talks, test_split: train, ${task} }`,
    );
    fs.writeFileSync(path.join(path.dirname(file), 'talks.jsonl'), JSON.stringify(row));
    return evaluateExperiment({ file, machine, engine });
  };
  const asked = 'doc_to_text: "{{ q }}", doc_to_target: a, output_type: loglikelihood, apply_chat_template: ';
  await assert.rejects(
    run(null, `${asked}true`, { q: 'x', a: 'y' }),
    /has no chat template: neither chat_template\.jinja/,
  );
  await assert.rejects(
    run('gemma', `${asked}tool`, { q: 'x', a: 'y' }),
    /has no chat template "tool"; its templates are default/,
  );
  const twice = [0, 1].map(() => ({ role: 'user', content: 'x' }));
  const conversation = asked.replace('"{{ q }}"', 'messages');
  await assert.rejects(
    run('gemma', `${conversation}true`, { messages: twice, a: 'y' }),
    (error: LayerifError) =>
      error.place?.line === 1 &&
      /task "t": the model's chat template refuses row 0: Conversation roles must alternate/.test(error.message),
  );
});
