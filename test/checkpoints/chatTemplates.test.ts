import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import {
  chatTemplates,
  folderChatTemplate,
  ggufChatTemplate,
  specialTokens,
} from '../../server/src/checkpoints/chatTemplates.ts';
import { Metadata } from '../../server/src/checkpoints/ggufMetadata.ts';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';

test('files of a folder, named ones too; a file wins over tokenizer_config.json', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-chat-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  fs.cpSync(path.join(import.meta.dirname, '../reference/evaluation/model'), folder, { recursive: true });
  const templates = (): [string, string][] => [...chatTemplates(openCheckpoint(folder).tokenizer().tokenizerConfig)];
  const config = path.join(folder, 'tokenizer_config.json');
  const settings = JSON.parse(fs.readFileSync(config, 'utf8')) as object;
  const configured = (chat_template: unknown): void =>
    fs.writeFileSync(config, JSON.stringify({ ...settings, chat_template }));
  assert.deepEqual(templates(), []);
  configured('a');
  assert.deepEqual(templates(), [['default', 'a']]);
  configured([
    { name: 'default', template: 'a' },
    { name: 'tool_use', template: 'b' },
    { name: 1, template: 'c' },
  ]);
  assert.deepEqual(templates(), [
    ['default', 'a'],
    ['tool_use', 'b'],
  ]);
  fs.writeFileSync(path.join(folder, 'chat_template.jinja'), 'c\n');
  assert.deepEqual(templates(), [['default', 'c\n']]);
  fs.mkdirSync(path.join(folder, 'additional_chat_templates'));
  fs.writeFileSync(path.join(folder, 'additional_chat_templates', 'rag.jinja'), 'd');
  assert.deepEqual(templates(), [
    ['default', 'c\n'],
    ['rag', 'd'],
  ]);
  assert.deepEqual(specialTokens(openCheckpoint(folder).tokenizer().tokenizerConfig), { bos_token: '<bos>' });
  fs.rmSync(path.join(folder, 'chat_template.jinja'));
  fs.mkdirSync(path.join(folder, 'chat_template.jinja'));
  assert.throws(() => folderChatTemplate(folder), /chat_template\.jinja cannot be read: it is a folder/);
});

test('a GGUF file has one template, or several by name', () => {
  const of = (values: [string, string | string[]][]) =>
    ggufChatTemplate(new Metadata({ file: 'x.gguf', metadata: new Map(values) }));
  assert.equal(of([]), null);
  assert.equal(of([['tokenizer.chat_template', 'a']]), 'a');
  assert.deepEqual(
    of([
      ['tokenizer.chat_template', 'a'],
      ['tokenizer.chat_templates', ['tool_use', 'rag']],
      ['tokenizer.chat_template.tool_use', 'b'],
    ]),
    [
      { name: 'default', template: 'a' },
      { name: 'tool_use', template: 'b' },
    ],
  );
});
