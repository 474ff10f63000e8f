/**
 * Turns of a task as the model's chat template renders them, by the rules of lm-evaluation-harness 0.4.13: few-shot
 * examples are turns of their own or stand in the user's turn as text, a conversation that a template refuses is
 * rendered again without the system's message, and the beginning of an answer stays open.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import type { Task } from '../../../protocol/experiment.ts';
import type { ChatOptions, ChatTemplate, Message, TextSpan } from './chatTemplate.ts';
import { TemplateError } from './jinja/objects.ts';
import { placeOf } from './splits.ts';
import { ourWords } from '../text/languageErrors.ts';
import type { Row } from './types.ts';

/** A part of a text that stands around a row, and what follows it where no template is applied. */
export interface Turn {
  role: 'system' | 'user' | 'assistant';
  content: string;
  delimiter: string;
}

/** The chat template of a task's model. @throws LayerifError `badModel` where it has none */
export type FindTemplate = () => ChatTemplate;

const templates = new WeakMap<Task, FindTemplate>();

/** Says whose template renders a task's texts; whoever opens a model does. */
export function bindTemplate(task: Task, find: FindTemplate): void {
  templates.set(task, find);
}

/** Whether a chat template renders the texts of a task. */
export function usesChat({ apply_chat_template: asked }: Pick<Task, 'apply_chat_template'>): boolean {
  return asked !== undefined;
}

/** Whether the model is open whose template renders the task's texts. */
export function hasTemplate(task: Task): boolean {
  return templates.has(task);
}

function templateOf(task: Task): ChatTemplate {
  const find = templates.get(task);
  if (find) return find();
  throw new LayerifError(
    'badRequest',
    `task "${task.task}": apply_chat_template needs the model, which is not open here`,
  );
}

/** What a user should know of a task's template, in sentences. */
export function templateWarnings(task: Task): string[] {
  if (!usesChat(task) || !templateOf(task).readsClock) return [];
  return [
    `task "${task.task}": the model's chat template reads the clock (strftime_now), so texts and numbers may be others on another day; give the date with chat_template_args, by the name that the template reads (date_string in Llama's)`,
  ];
}

/**
 * @param front system instruction and examples
 * @param messages of the row itself
 * @param open the beginning of the answer, if there is one
 */
export function renderedTurns(
  task: Task,
  row: Row,
  front: readonly Turn[],
  messages: readonly Message[],
  open: readonly Turn[],
): string {
  const together = task.fewshot_as_multiturn === false ? singleTurn(front, messages) : null;
  const conversation = [...(together ?? [...front.map(asMessage), ...messages]), ...open.map(asMessage)];
  const isOpen = conversation.at(-1)?.['role'] === 'assistant';
  const options = { addGenerationPrompt: !isOpen, continueFinalMessage: isOpen };
  return rendered(task, row, conversation, options);
}

/** A whole conversation, of which every token is read. */
export function renderedWhole(task: Task, row: Row, messages: readonly Message[]): string {
  return rendered(task, row, wholeOf(task, messages), {});
}

function wholeOf({ system_instruction: system }: Task, messages: readonly Message[]): Message[] {
  const front: Message[] =
    system === undefined || messages[0]?.['role'] === 'system' ? [] : [asMessage(systemTurn(system))];
  return [...front, ...messages];
}

/**
 * The same, and which parts are the assistant's turns: what the template marks by {% generation %}; of one that marks
 * nothing, from behind the header of each answer to the end of its turn, white space behind it left out.
 * @throws LayerifError `badData` where the parts of a conversation do not stand in the whole one
 */
export function renderedAssistant(task: Task, row: Row, messages: readonly Message[]): Marked {
  const conversation = wholeOf(task, messages);
  const marked = byTemplate(task, row, conversation, (template, turns, args) => template.renderMarked(turns, args));
  if (marked.spans) return { text: marked.text, spans: marked.spans };
  const { text } = marked;
  // Of a conversation that the assistant begins: what stands before an answer.
  const asked = rendered(task, row, conversation, { addGenerationPrompt: true });
  const header = asked.startsWith(text) ? asked.slice(text.length) : '';
  const spans = conversation.flatMap(({ role }, at) => {
    if (role !== 'assistant') return [];
    const [head, whole] = [conversation.slice(0, at), conversation.slice(0, at + 1)];
    const before = head.length === 0 ? header : rendered(task, row, head, { addGenerationPrompt: true });
    const through = rendered(task, row, whole, {}).trimEnd();
    if (text.startsWith(before) && text.startsWith(through) && through.length >= before.length)
      return [{ from: before.length, to: through.length }];
    throw new LayerifError(
      'badData',
      `task "${task.task}": row ${row.row}: where message ${at} of the assistant's stands cannot be told, for the model's chat template writes the messages before it in another way when it ends there; mark the answers in the template with {% generation %} and {% endgeneration %}`,
      { place: placeOf(row) },
    );
  });
  return { text, spans };
}

/** A text with the parts that are the assistant's, in their order. */
export interface Marked {
  text: string;
  spans: TextSpan[];
}

const systemTurn = (content: string): Turn => ({ role: 'system', content, delimiter: '' });

const asMessage = ({ role, content }: Turn): Message => ({ role, content });

/** Examples and question as one turn of the user's; null where the question is a conversation of its own. */
function singleTurn(front: readonly Turn[], messages: readonly Message[]): Message[] | null {
  const [question] = messages;
  if (messages.length !== 1 || question?.['role'] !== 'user' || typeof question['content'] !== 'string') return null;
  const system = front.filter(({ role }) => role === 'system');
  const shown = front.filter(({ role }) => role !== 'system').map(({ content, delimiter }) => content + delimiter);
  return [...system.map(asMessage), { role: 'user', content: shown.join('') + question['content'] }];
}

function rendered(
  task: Task,
  row: Row,
  conversation: readonly Message[],
  options: { addGenerationPrompt?: boolean; continueFinalMessage?: boolean },
): string {
  return byTemplate(task, row, conversation, (template, turns, args) =>
    template.render(turns, { ...args, ...options }),
  );
}

function byTemplate<T>(
  task: Task,
  row: Row,
  conversation: readonly Message[],
  render: (template: ChatTemplate, conversation: readonly Message[], options: ChatOptions) => T,
): T {
  const template = templateOf(task);
  const args = { args: task.chat_template_args, ...toolsOf(row) };
  try {
    try {
      return render(template, conversation, args);
    } catch (error) {
      // The harness' rule: a template that knows no system's message.
      const others = conversation.filter(({ role }) => role !== 'system');
      if (!(error instanceof TemplateError) || others.length === conversation.length) throw error;
      return render(template, others, args);
    }
  } catch (error) {
    throw new LayerifError(
      'badData',
      `task "${task.task}": the model's chat template refuses row ${row.row}: ${ourWords(error as Error)}`,
      { place: placeOf(row), cause: error },
    );
  }
}

/** Tools that a row brings along, as datasets of conversations do. */
function toolsOf({ values: { messages, tools } }: Row): { tools?: readonly unknown[] } {
  return Array.isArray(messages) && Array.isArray(tools) ? { tools: tools as unknown[] } : {};
}
