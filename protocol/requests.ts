/**
 * Every request of the extension (client) to the language server, beside standard LSP: one row ties method, parameters
 * and answer. To add one, write its types into `lsp.ts`, a row here, and a handler in `server/src/lsp/workerMain.ts`,
 * which the compiler asks for.
 */
import type {
  AllocateAnswer,
  AllocateParams,
  AllocationChoicesAnswer,
  CheckGradientsAnswer,
  CheckGradientsParams,
  CompareAnswer,
  CompareEstimatorsAnswer,
  CompareEstimatorsParams,
  CompareParams,
  DescribeDataAnswer,
  DescribeDataParams,
  EstimateAnswer,
  EstimateParams,
  EstimatePruningAnswer,
  EvaluateAnswer,
  EvaluateParams,
  ExportAnswer,
  ExportParams,
  InspectAnswer,
  InspectParams,
  LocateAnswer,
  LocateParams,
  MeasureScoresAnswer,
  MeasureScoresParams,
  ModelHeaderAnswer,
  ModelHeaderParams,
  OutlineAnswer,
  OutlineParams,
  PruneAndCompareAnswer,
  PruneAndCompareParams,
  PruneAnswer,
  PruneParams,
  RescoreAnswer,
  RescoreParams,
  SampleTextAnswer,
  SampleTextParams,
  ScoreAnswer,
  ScoreParams,
  SweepAnswer,
  SweepParams,
  ToolCallAnswer,
  ToolParams,
  ValidateAnswer,
  ValidateParams,
} from './lsp.ts';
import type { CudaAnswer, CudaOfferAnswer, CudaOfferParams, DevicesAnswer } from './devices.ts';
import type {
  LinesWithoutParams,
  RowMarksAnswer,
  RowMarksParams,
  RowTextParams,
  RowTokensAnswer,
  RowTokensParams,
  TokenInfluenceAnswer,
  TokenInfluenceParams,
  RowsWithoutParams,
  SelectRowsAnswer,
  SelectRowsParams,
  WrittenRowsAnswer,
} from './rowRequests.ts';
import type { AnalyseAnswer, AnalyseParams, TableColumnsAnswer, TableColumnsParams } from './analysis.ts';
import type { PredictAnswer, PredictParams } from './prediction.ts';

/** `types` is never there: it only carries the types of parameters and answer. */
export interface RequestRow<Params, Answer> {
  readonly method: string;
  types?(params: Params): Answer;
}

/** Of a request that needs no parameters. */
export type Nothing = Record<string, never>;

const row = <Params, Answer>(method: string): RequestRow<Params, Answer> => ({ method });

export const requests = {
  score: row<ScoreParams, ScoreAnswer>('layerif/score'),
  checkGradients: row<CheckGradientsParams, CheckGradientsAnswer>('layerif/checkGradients'),
  estimate: row<EstimateParams, EstimateAnswer>('layerif/estimate'),
  validate: row<ValidateParams, ValidateAnswer>('layerif/validate'),
  cancelRun: row<Nothing, null>('layerif/cancelRun'),
  sampleText: row<SampleTextParams, SampleTextAnswer>('layerif/sampleText'),
  rowText: row<RowTextParams, SampleTextAnswer>('layerif/rowText'),
  rowTokens: row<RowTokensParams, RowTokensAnswer>('layerif/rowTokens'),
  tokenInfluence: row<TokenInfluenceParams, TokenInfluenceAnswer>('layerif/tokenInfluence'),
  selectRows: row<SelectRowsParams, SelectRowsAnswer>('layerif/selectRows'),
  rowMarks: row<RowMarksParams, RowMarksAnswer>('layerif/rowMarks'),
  linesWithout: row<LinesWithoutParams, WrittenRowsAnswer>('layerif/linesWithout'),
  rowsWithout: row<RowsWithoutParams, WrittenRowsAnswer>('layerif/rowsWithout'),
  locate: row<LocateParams, LocateAnswer | null>('layerif/locate'),
  outline: row<OutlineParams, OutlineAnswer>('layerif/outline'),
  allocate: row<AllocateParams, AllocateAnswer>('layerif/allocate'),
  measureScores: row<MeasureScoresParams, MeasureScoresAnswer>('layerif/measureScores'),
  export: row<ExportParams, ExportAnswer>('layerif/export'),
  allocationChoices: row<Nothing, AllocationChoicesAnswer>('layerif/allocationChoices'),
  rescore: row<RescoreParams, RescoreAnswer>('layerif/rescore'),
  sweepDamping: row<SweepParams, SweepAnswer>('layerif/sweepDamping'),
  prune: row<PruneParams, PruneAnswer>('layerif/prune'),
  evaluate: row<EvaluateParams, EvaluateAnswer>('layerif/evaluate'),
  pruneAndCompare: row<PruneAndCompareParams, PruneAndCompareAnswer>('layerif/pruneAndCompare'),
  estimatePruning: row<PruneAndCompareParams, EstimatePruningAnswer>('layerif/estimatePruning'),
  compare: row<CompareParams, CompareAnswer>('layerif/compare'),
  compareEstimators: row<CompareEstimatorsParams, CompareEstimatorsAnswer>('layerif/compareEstimators'),
  inspectModel: row<InspectParams, InspectAnswer>('layerif/inspectModel'),
  modelHeader: row<ModelHeaderParams, ModelHeaderAnswer>('layerif/modelHeader'),
  predict: row<PredictParams, PredictAnswer>('layerif/predict'),
  analyse: row<AnalyseParams, AnalyseAnswer>('layerif/analyse'),
  tableColumns: row<TableColumnsParams, TableColumnsAnswer>('layerif/tableColumns'),
  describeData: row<DescribeDataParams, DescribeDataAnswer>('layerif/describeData'),
  devices: row<Nothing, DevicesAnswer>('layerif/devices'),
  tool: row<ToolParams, ToolCallAnswer>('layerif/tool'),
  cudaOffer: row<CudaOfferParams, CudaOfferAnswer>('layerif/cudaOffer'),
  installCuda: row<CudaOfferParams, CudaAnswer>('layerif/installCuda'),
  removeCuda: row<Nothing, CudaAnswer>('layerif/removeCuda'),
} as const;

export type Requests = typeof requests;
export type RequestName = keyof Requests;
export type ParamsOf<Row> = Row extends RequestRow<infer Params, unknown> ? Params : never;
export type AnswerOf<Row> = Row extends RequestRow<never, infer Answer> ? Answer : never;
