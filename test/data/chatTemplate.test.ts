import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChatTemplate, conversationOf, type ChatOptions, type Message } from '../../server/src/data/chatTemplate.ts';
import { TemplateError } from '../../server/src/data/jinja/objects.ts';
import { strftime } from '../../server/src/data/jinja/strftime.ts';
import { parseJson } from '../../server/src/data/readers/jsonText.ts';

interface Reference {
  now: string;
  special: Record<string, string>;
  conversations: Record<string, Message[]>;
  options: Record<string, Record<string, unknown>>;
  renderings: {
    template: string;
    conversation: string;
    options: string;
    rendered: string | null;
    error?: string;
  }[];
  talk: Message[];
  forms: [source: string, rendered: string | null, error: string | null][];
  formats: [format: string, shown: string][];
}

const folder = join(import.meta.dirname, '../reference/chat');
// Whole floats stay floats, as in Python.
const reference = parseJson(readFileSync(join(folder, 'chat.json'), 'utf8')) as Reference;
const now = (): Date => new Date(reference.now.replace(/\d{3}$/, ''));

/** The words of `apply_chat_template`. */
function optionsOf({
  add_generation_prompt,
  continue_final_message,
  tools,
  documents,
  ...args
}: Record<string, unknown>): ChatOptions {
  return {
    addGenerationPrompt: add_generation_prompt === true,
    continueFinalMessage: continue_final_message === true,
    ...(Array.isArray(tools) ? { tools } : {}),
    ...(Array.isArray(documents) ? { documents } : {}),
    args,
  };
}

test('conversations render by the templates of 24 families as with apply_chat_template', () => {
  const templates = new Map<string, ChatTemplate>();
  const wrong: unknown[] = [];
  for (const { template, conversation, options, rendered, error } of reference.renderings) {
    let compiled = templates.get(template);
    if (!compiled) {
      const source = readFileSync(join(folder, 'templates', `${template}.jinja`), 'utf8');
      templates.set(template, (compiled = new ChatTemplate(source, reference.special, now)));
    }
    try {
      const text = compiled.render(reference.conversations[conversation], optionsOf(reference.options[options]));
      if (text !== rendered) wrong.push([template, conversation, options, rendered, text]);
    } catch (failure) {
      const said = (failure as Error).message;
      if (rendered !== null) wrong.push([template, conversation, options, rendered, said]);
      else if (/^TemplateError/.test(error!)) {
        // What the template says itself is handed on.
        assert.ok(failure instanceof TemplateError);
        assert.equal(`TemplateError: ${said}`, error);
      }
    }
  }
  assert.equal(templates.size, 24);
  assert.ok(reference.renderings.length > 1300);
  assert.deepEqual(wrong, []);
});

test('single forms render as with apply_chat_template, or fail as there', () => {
  const wrong: unknown[] = [];
  for (const [source, rendered, error] of reference.forms) {
    let found: string | null = null;
    let failure: unknown = null;
    try {
      found = new ChatTemplate(source, reference.special, now).render(reference.talk);
    } catch (thrown) {
      failure = thrown;
    }
    if (found !== rendered) wrong.push([source, rendered, found, (failure as Error | null)?.message]);
    // lm_eval renders again without the system's message where Jinja itself refuses.
    else if (/^(TemplateError|UndefinedError|SecurityError)/.test(error ?? '') && !(failure instanceof TemplateError))
      wrong.push([source, error, (failure as Error).message]);
  }
  assert.ok(reference.forms.length > 170);
  assert.deepEqual(wrong, []);
});

test('strftime writes moments as Python does', () => {
  for (const [format, shown] of reference.formats) assert.equal(strftime(now(), format), shown, format);
  const weeks = (date: Date): string => strftime(date, '%U %W %V %G %j');
  // The same by Python: datetime(...).strftime('%U %W %V %G %j')
  assert.equal(weeks(new Date(2027, 0, 1)), '00 00 53 2026 001');
  assert.equal(weeks(new Date(2024, 11, 30)), '52 53 01 2025 365');
  assert.equal(weeks(new Date(2023, 0, 1)), '01 00 52 2022 001');
});

test('a hostile template ends', () => {
  const render = (source: string): string => new ChatTemplate(source, {}).render(reference.talk);
  assert.throws(
    () =>
      render(
        "{% set ns = namespace(x='aaaaaaaaaa') %}{% for a in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
      ),
    /at most/,
  );
  assert.throws(() => render('{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}'), /deep/);
  assert.throws(() => render('{{ messages.__class__.__mro__ }}'), TemplateError);
  assert.throws(() => new ChatTemplate('{% if %}', {}), /at column/);
});

test('lists of mappings with a role are conversations', () => {
  assert.deepEqual(conversationOf([{ role: 'user', content: 'a' }]), [{ role: 'user', content: 'a' }]);
  for (const none of ['a', [], [{ content: 'a' }], [1], null, { role: 'user' }])
    assert.equal(conversationOf(none), null);
});
