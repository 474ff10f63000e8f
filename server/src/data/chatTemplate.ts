/**
 * Conversations -> text by a model's chat template, as `apply_chat_template` of transformers 5.24 renders them. A
 * template is a program of whoever made the model: it runs within the limits of all templates and sees the
 * conversation, the special tokens and what it is given, nothing else.
 */
import { chat } from './jinja/dialects.ts';
import { Dict } from './jinja/objects.ts';
import { compileTemplate, type Template } from './jinja/template.ts';

/** `role` and `content`, and what else a template may read: `tool_calls`, `reasoning_content`, ... */
export type Message = Readonly<Record<string, unknown>>;

export interface ChatOptions {
  /** Ends with what stands before an answer. */
  addGenerationPrompt?: boolean;
  /** The last message stays open, to be gone on with. */
  continueFinalMessage?: boolean;
  tools?: readonly unknown[];
  documents?: readonly unknown[];
  /** Further names that the template may read, such as `enable_thinking`; they win over special tokens. */
  args?: Readonly<Record<string, unknown>>;
}

/** Characters of a text, from the first to behind the last. */
export interface TextSpan {
  from: number;
  to: number;
}

/** Names under which reasoning is passed; the first one is what templates read. */
const REASONING = ['reasoning_content', 'thinking', 'reasoning'] as const;
/** Stands at the end of an open message until its place in the text is known. */
const TAG = 'CONTINUE_FINAL_MESSAGE_TAG ';
/** Around what a template marks as generated: noncharacters, which no text has. */
const MARKS = ['\ufdd0', '\ufdd1'] as const;

export class ChatTemplate {
  readonly #source: string;
  readonly #special: Readonly<Record<string, string>>;
  readonly #now: () => Date;
  readonly #template: Template;

  /**
   * @param special `bos_token` and the like, as texts
   * @param now what `strftime_now` shows
   * @param marks around what the template marks as generated
   * @throws Error when `source` is no template; the message says what is wrong and where
   */
  constructor(
    source: string,
    special: Readonly<Record<string, string>>,
    now: () => Date = () => new Date(),
    marks?: typeof MARKS,
  ) {
    this.#source = source;
    this.#special = special;
    this.#now = now;
    this.#template = compileTemplate(source, { ...chat(now), ...(marks && { generationMarks: marks }) });
  }

  /** Whether the text may name the day of its making. */
  get readsClock(): boolean {
    return /\bstrftime_now\b/.test(this.#source);
  }

  /** @throws TemplateError where the template refuses the conversation; Error where it fails */
  render(conversation: readonly Message[], options: ChatOptions = {}): string {
    const { addGenerationPrompt = false, continueFinalMessage = false, tools, documents, args } = options;
    if (conversation.length === 0) throw new Error('the conversation has no message');
    const messages = conversation.map(normalised);
    const last = messages.at(-1)!;
    const final = continueFinalMessage ? this.#tagged(last) : null;
    const text = this.#template.render({
      ...this.#special,
      messages,
      tools: tools ?? null,
      documents: documents ?? null,
      add_generation_prompt: addGenerationPrompt,
      ...args,
    });
    return final === null ? text : opened(text, final);
  }

  /**
   * A whole conversation, and which parts of its text are the assistant's, as far as the template tells: the blocks
   * {% generation %}, which transformers' `return_assistant_tokens_mask` reads; null of a template that has none.
   */
  renderMarked(
    conversation: readonly Message[],
    options: ChatOptions = {},
  ): { text: string; spans: TextSpan[] | null } {
    if (!/\{%[-+]?\s*generation\b/.test(this.#source)) return { text: this.render(conversation, options), spans: null };
    const marked = new ChatTemplate(this.#source, this.#special, this.#now, MARKS).render(conversation, options);
    const spans: TextSpan[] = [];
    let text = '';
    for (const piece of marked.split(MARKS[0])) {
      const from = text.length;
      const [own = '', ...rest] = piece.split(MARKS[1]);
      text += own;
      if (rest.length === 0) continue;
      spans.push({ from, to: text.length });
      text += rest.join('');
    }
    return { text, spans };
  }

  /** Puts the tag at the end of the last message. @returns the message's text without it */
  #tagged(last: Record<string, unknown>): string {
    const { content } = last;
    if (content === undefined) throw new Error('the last message has no content to go on with');
    if (!this.#source.includes('content')) throw new Error('the template does not read content');
    if (typeof content === 'string') {
      last['content'] = content + TAG;
      return content;
    }
    const parts = Array.isArray(content) ? (content as Record<string, unknown>[]) : [];
    const part = parts.findLast(({ text }) => typeof text === 'string');
    if (part === undefined) throw new Error('the last message has no text to go on with');
    const text = part['text'] as string;
    last['content'] = parts.map((one) => (one === part ? { ...one, text: text + TAG } : one));
    return text;
  }
}

/** Without what is null; reasoning under the names that templates read it by. */
function normalised(message: Message): Record<string, unknown> {
  const kept = Object.fromEntries(Object.entries(message).filter(([, value]) => value !== null && value !== undefined));
  const reasoning = REASONING.map((name) => kept[name]).find((value) => value !== undefined);
  return reasoning === undefined ? kept : { thinking: reasoning, ...kept, reasoning_content: reasoning };
}

/** The text up to the tag; where the template trims messages, without the white space before it. */
function opened(text: string, final: string): string {
  const at = text.lastIndexOf(TAG.trimEnd());
  if (at < 0 || !text.includes(final.trim()))
    throw new Error('the last message does not appear in what the template makes of the conversation');
  const before = text.slice(0, at);
  return text.startsWith(TAG, at) ? before : before.trimEnd();
}

/**
 * A value of a row as a conversation: a list of mappings with `role`; null for anything else.
 *
 * @param value a list column, or the list that a template gave
 */
export function conversationOf(value: unknown): Message[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const messages = value.map((one: unknown): unknown =>
    one instanceof Dict ? Object.fromEntries(one.entries()) : one,
  );
  return messages.every(isMessage) ? messages : null;
}

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && typeof (value as Message)['role'] === 'string';
}
