/** Tools for chat models in the editor: the same answers as those of `layerif mcp`. */
import type { CancellationToken } from 'vscode-languageserver/node';
import type { ToolCallAnswer, ToolParams } from '../../../protocol/lsp.ts';
import { answerTool } from '../run/tools/answers.ts';
import { Folders } from '../run/tools/folders.ts';
import { answered } from './answered.ts';
import { signalOf } from './rescoring.ts';

export function answerChat({ tool, input, folders }: ToolParams, token: CancellationToken): Promise<ToolCallAnswer> {
  const signal = signalOf(token);
  return answered<Pick<ToolCallAnswer, 'answer'>>({ answer: null }, async () => ({
    answer: await answerTool(tool, input, { folders: new Folders(folders), signal }),
  }));
}
