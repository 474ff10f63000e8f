/**
 * LayerIF as a server of the Model Context Protocol, on standard input and output: the tools of `protocol/tools.ts`,
 * and one MCP App, the chart of layer scores. Both revisions of the protocol are spoken, as the client opens it
 * (docs/decisions/042-mcp.md).
 */
import { inputRequired, inputResponse, McpServer, CLIENT_CAPABILITIES_META_KEY } from '@modelcontextprotocol/server';
import type {
  CallToolResult,
  ClientCapabilities,
  InputRequiredResult,
  ServerContext,
  StandardSchemaWithJSON,
} from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { registerAppResource, registerAppTool, RESOURCE_MIME_TYPE } from '@modelcontextprotocol/ext-apps/server';
import { LayerifError, located } from '../../../protocol/errors.ts';
import type { Machine } from '../../../protocol/run.ts';
import { inputSchema, tools } from '../../../protocol/tools.ts';
import type { ToolAnswer, ToolRow } from '../../../protocol/tools.ts';
import { knownFault } from '../files/reading.ts';
import { version } from '../run/files/version.ts';
import { answerTool } from '../run/tools/answers.ts';
import { Folders } from '../run/tools/folders.ts';
import { toolInput } from '../run/tools/input.ts';
import { ScoreTool } from '../run/tools/scoreTool.ts';
import type { ScoreWork } from '../run/tools/scoreTool.ts';
import { chartPage } from './chartPage.ts';

export const CHART_URI = 'ui://layerif/layers.html';

export interface ServeOptions {
  /** What may be read; empty: the client's roots, else `fallback`. */
  folders: readonly string[];
  fallback: string;
  machine: Machine;
}

type Reply = CallToolResult | InputRequiredResult;

/** Serves until the client closes standard input. */
export function serveMcp(options: ServeOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const session = new Session(options);
    serveStdio(
      () => {
        const server = session.server();
        server.server.onclose = () => resolve();
        return server;
      },
      { onerror: (error) => void process.stderr.write(`layerif mcp: ${error.message}\n`) },
    );
    process.stdin.once('end', resolve);
    process.stdin.once('error', reject);
  });
}

class Session {
  readonly #options: ServeOptions;
  readonly #score = new ScoreTool();
  #folders: Folders | null;

  constructor(options: ServeOptions) {
    this.#options = options;
    this.#folders = options.folders.length > 0 ? new Folders(options.folders) : null;
  }

  server(): McpServer {
    const server = new McpServer(
      { name: 'layerif', title: 'LayerIF', version },
      {
        instructions:
          'LayerIF tells which layers of a language model matter for a task, by influence functions. Begin with list_runs; score computes what is not there yet.',
      },
    );
    for (const tool of tools) {
      const { id, title, description, readOnly } = tool;
      const config = {
        title,
        description,
        inputSchema: schemaOf(tool),
        annotations: { readOnlyHint: readOnly, destructiveHint: false, idempotentHint: true, openWorldHint: false },
      };
      const call = (input: unknown, context: ServerContext) => this.#answered(server, tool, input, context);
      if (id === 'show_chart')
        registerAppTool(server, id, { ...config, _meta: { ui: { resourceUri: CHART_URI } } }, call);
      else server.registerTool(id, config, call);
    }
    registerAppResource(server, 'Layer chart', CHART_URI, { description: 'Layer scores of a run as a chart.' }, () => ({
      contents: [{ uri: CHART_URI, mimeType: RESOURCE_MIME_TYPE, text: chartPage() }],
    }));
    return server;
  }

  /** A failure is an answer of one sentence, for the model to act on. */
  async #answered(server: McpServer, tool: ToolRow, given: unknown, context: ServerContext): Promise<Reply> {
    try {
      const folders = this.#folders ?? this.#askedFolders(server, context);
      if (!(folders instanceof Folders)) return folders;
      if (tool.id === 'score') return await this.#scored(server, tool, given, folders, context);
      return reply(await answerTool(tool.id, given, { folders, signal: context.mcpReq.signal }));
    } catch (error) {
      const known =
        knownFault(error) ?? (context.mcpReq.signal.aborted ? new LayerifError('cancelled', 'cancelled') : null);
      if (!known) throw error;
      return { isError: true, content: [{ type: 'text', text: located(known) }] };
    }
  }

  /** The client's roots where it has some: asked for once. */
  #askedFolders(server: McpServer, context: ServerContext): Folders | InputRequiredResult {
    const roots = inputResponse(context.mcpReq.inputResponses, 'roots');
    if (roots.kind === 'missing' && capabilitiesOf(server, context)?.roots)
      return inputRequired({ inputRequests: { roots: inputRequired.listRoots() } });
    const named = roots.kind === 'roots' ? roots.roots.map(({ uri }) => uri) : [];
    this.#folders = Folders.ofRoots(named.length > 0 ? named : [this.#options.fallback]);
    return this.#folders;
  }

  async #scored(
    server: McpServer,
    tool: ToolRow,
    given: unknown,
    folders: Folders,
    context: ServerContext,
  ): Promise<Reply> {
    const { file: named, task: name, confirm } = toolInput(tool, given);
    const file = folders.experiment(String(named));
    const task = name as string | undefined;
    const work: ScoreWork = {
      machine: this.#options.machine,
      signal: context.mcpReq.signal,
      onProgress: progressTo(context),
    };
    if (confirm !== undefined) return reply(await this.#score.run(file, task, String(confirm), work));

    const asked = inputResponse(context.mcpReq.inputResponses, 'start');
    if (asked.kind === 'elicit') {
      const word = String(context.mcpReq.requestState<string>());
      if (asked.action === 'accept') return reply(await this.#score.run(file, task, word, work));
      return reply({ text: 'The run was not started: the user did not agree.', data: { started: false } });
    }
    const { word, question, data } = await this.#score.estimate(file, task, work);
    if (capabilitiesOf(server, context)?.elicitation)
      return inputRequired({
        inputRequests: {
          start: inputRequired.elicit({
            message: `${question}\nStart the run?`,
            requestedSchema: { type: 'object', properties: {} },
          }),
        },
        requestState: word,
      });
    return reply({
      text: `${question}\nNothing runs yet. Ask the user; after a yes call score again with the same inputs and confirm: "${word}".`,
      data: { started: false, confirm: word, ...data },
    });
  }
}

function reply({ text, data }: ToolAnswer): CallToolResult {
  return { content: [{ type: 'text', text }], structuredContent: data };
}

/** Of the request where it says them, as of 2026, else of the connection. */
function capabilitiesOf(server: McpServer, { mcpReq }: ServerContext): ClientCapabilities | undefined {
  const envelope = mcpReq.envelope as Record<string, ClientCapabilities | undefined> | undefined;
  return envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? server.server.getClientCapabilities();
}

/** Progress that never goes back, to a client that asks for it. */
function progressTo({ mcpReq }: ServerContext): ScoreWork['onProgress'] {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return () => undefined;
  let last = -1;
  return (done, total, message) => {
    const progress = total > 0 ? done / total : 0;
    if (!(progress > last)) return;
    last = progress;
    const params = { progressToken, progress, total: 1, message };
    // A client that went away closes standard input, which ends the run.
    void mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  };
}

/** Inputs are held to the table by `toolInput`, whose refusals are one sentence; here they only have their schema. */
function schemaOf({ inputs }: ToolRow): StandardSchemaWithJSON {
  const schema = inputSchema(inputs);
  return {
    '~standard': {
      version: 1,
      vendor: 'layerif',
      validate: (value) => ({ value }),
      jsonSchema: { input: () => schema, output: () => schema },
    },
  };
}
