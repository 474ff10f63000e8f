/** The tools that read finished runs: one function each. Scoring is not among them, it asks before it starts. */
import type { ToolAnswer, ToolId } from '../../../../protocol/tools.ts';
import { toolOf } from '../../../../protocol/tools.ts';
import { allocateTool } from './allocateTool.ts';
import { compareTool } from './compareTool.ts';
import { explainLayer } from './explainLayer.ts';
import { toolInput } from './input.ts';
import { listRuns } from './listRuns.ts';
import { showChart } from './showChart.ts';
import type { Answer, ToolContext } from './types.ts';

export type ReadingTool = Exclude<ToolId, 'score'>;

const answers: Readonly<Record<ReadingTool, Answer>> = {
  explain_layer: explainLayer,
  compare: compareTool,
  allocate: allocateTool,
  list_runs: listRuns,
  show_chart: showChart,
};

/** @throws LayerifError `badRequest` for inputs that do not fit, and as each tool says */
export async function answerTool(id: ReadingTool, given: unknown, context: ToolContext): Promise<ToolAnswer> {
  return answers[id](toolInput(toolOf(id), given), context);
}
