/** The chat template of an open model, and what it makes of a conversation, with errors that say whose fault it is. */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Task } from '../../../../protocol/experiment.ts';
import type { Place } from '../../../../protocol/errors.ts';
import { chatTemplates, specialTokens } from '../../checkpoints/chatTemplates.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';
import { bindTemplate } from '../../data/chatTurns.ts';
import { ChatTemplate } from '../../data/chatTemplate.ts';
import type { ChatOptions, Message } from '../../data/chatTemplate.ts';
import { nth } from '../../lists/nth.ts';
import { ourWords } from '../../text/languageErrors.ts';
import { listed } from '../../text/listed.ts';
import { didYouMean } from '../../text/nearest.ts';

/**
 * @param name of one of several templates; default: `default`, else `tool_use` of a model that has it alone
 * @throws LayerifError `badModel` without such a template, or for one that is no valid Jinja
 */
export function chatTemplateOf(checkpoint: Checkpoint, name: true | string = true): ChatTemplate {
  const { tokenizerConfig } = checkpoint.tokenizer();
  const templates = chatTemplates(tokenizerConfig);
  const names = [...templates.keys()];
  if (names.length === 0) {
    const where =
      checkpoint.format === 'gguf'
        ? 'its metadata lack tokenizer.chat_template; take the file of the instruct model'
        : 'neither chat_template.jinja nor chat_template in tokenizer_config.json; copy one of these files of the instruct model beside config.json';
    throw new LayerifError('badModel', `${checkpoint.path} has no chat template: ${where}`);
  }
  const chosen = name === true ? (names.length === 1 ? nth(names, 0) : 'default') : name;
  const source = templates.get(chosen);
  if (source === undefined) {
    throw new LayerifError(
      'badModel',
      `${checkpoint.path} has no chat template "${chosen}"; its templates are ${listed(names)}${didYouMean(chosen, names)}`,
    );
  }
  try {
    return new ChatTemplate(source, specialTokens(tokenizerConfig));
  } catch (error) {
    throw new LayerifError(
      'badModel',
      `the chat template of ${checkpoint.path} is not valid: ${ourWords(error as Error)}`,
      { cause: error },
    );
  }
}

/** Says that the texts of a task are rendered by the chat template of this model, which is read when one is. */
export function bindChat(task: Task, checkpoint: Checkpoint): void {
  const { apply_chat_template: asked } = task;
  if (asked === undefined) return;
  let found: ChatTemplate | undefined;
  bindTemplate(task, () => (found ??= chatTemplateOf(checkpoint, asked)));
}

/**
 * A conversation up to where the model goes on: behind the header of an answer, or within a last message of the
 * assistant's.
 * @throws LayerifError `badData` with the place, for what the template refuses
 */
export function renderPrompt(
  template: ChatTemplate,
  conversation: readonly Message[],
  options: Pick<ChatOptions, 'tools' | 'args'>,
  place?: Place,
): string {
  const open = conversation.at(-1)?.['role'] === 'assistant';
  try {
    return template.render(conversation, { ...options, addGenerationPrompt: !open, continueFinalMessage: open });
  } catch (error) {
    throw new LayerifError('badData', `the model's chat template refuses a conversation: ${ourWords(error as Error)}`, {
      place,
      cause: error,
    });
  }
}
