/** What an answer of a tool is made with. */
import type { ToolAnswer } from '../../../../protocol/tools.ts';
import type { Folders } from './folders.ts';
import type { ToolValues } from './input.ts';

export interface ToolContext {
  folders: Folders;
  signal?: AbortSignal | undefined;
}

export type Answer = (input: ToolValues, context: ToolContext) => ToolAnswer | Promise<ToolAnswer>;
