/**
 * Netsmith as a library, without what only Node can do: spaces, strategies, estimators, measures, and studies over a runtime and a store
 * that are passed in. `netsmith/node` adds studies in folders, data and ONNX Runtime; `netsmith/web` is for browsers.
 *
 * @packageDocumentation
 */
import './common/node-version.ts';

export {
  DataError,
  ERROR_CODES,
  type ErrorCode,
  isNetsmithError,
  NetsmithError,
  StudyStopped,
  UserError,
} from './common/errors.ts';
export type { Fidelity } from './common/fidelity.ts';
export type { Json } from './common/json.ts';
export { compareBy, METRICS, type Metrics, type Objective } from './common/metrics.ts';
export { type Rng, rng } from './common/random.ts';
export type { Spent } from './common/spent.ts';
export { defineEnvironment, type EnvironmentDefinition } from './control/define.ts';
export * from './control/environment.ts';
export { type CartPoleOptions, cartPole } from './control/environments/cart-pole.ts';
export { doublePole, generalizationStarts, type PolesOptions, singlePole } from './control/environments/poles.ts';
export { XOR_CASES, type XorCase } from './control/environments/xor.ts';
export {
  type EpisodeRecording,
  evaluatePolicy,
  type Policy,
  type PolicyEvaluation,
  type PolicyEvaluationOptions,
  recordEpisode,
} from './control/episodes.ts';
export { playGenome } from './control/genome-episode.ts';
export { type GenomeNetwork, genomeNetwork } from './control/genome-network.ts';
export { ENVIRONMENTS, type EnvironmentName } from './control/index.ts';
export type { Lane, Outcome } from './control/lane.ts';
export {
  DATASETS,
  type DatasetEntry,
  type DatasetFile,
  type DatasetName,
  type DatasetOrigin,
  TOKEN_KINDS,
  type TokenKind,
} from './data/catalog.ts';
export type * from './data/dataset.ts';
export {
  type DatasetDefinition,
  defineDataset,
  type OwnData,
  type OwnDataRequest,
  type OwnDataset,
} from './data/own.ts';
export {
  openTokenizer,
  parseTokenizer,
  type TextEncoding,
  type Tokenizer,
  type TokenizerData,
  trainTokenizer,
  type VocabularyRequest,
} from './data/text/tokenizer.ts';
export { createEngine } from './engine/create.ts';
export type { CompileOptions, Engine, EngineOptions, Program, State } from './engine/engine.ts';
export type { Device, MemoryPolicy, Runtime } from './engine/runtime/runtime.ts';
export * from './estimate/estimator.ts';
export { defineEstimator, type EstimatorContext, type EstimatorDefinition, type OwnEstimator } from './estimate/own.ts';
export {
  type Known,
  type Predictor,
  type PredictorOptions,
  predictorEstimator,
  trainPredictor,
} from './estimate/predictor/predictor.ts';
export { type ProxyEstimator, type ProxyEstimatorOptions, proxyEstimator } from './estimate/proxies/estimator.ts';
export {
  openProxies,
  PROXIES,
  type Proxies,
  type ProxyName,
  type ProxyOptions,
  type ProxyScores,
} from './estimate/proxies/measure.ts';
export {
  type AddedMetric,
  LATENCY,
  type LatencyColumns,
  latencies,
  withTableMetric,
} from './estimate/tabular/added-metric.ts';
export type { ArchitectureColumns, CsvTableOptions } from './estimate/tabular/csv.ts';
export { type SimulatedClock, simulatedClock, tabularEstimator } from './estimate/tabular/estimator.ts';
export type { Row, Table } from './estimate/tabular/table.ts';
export { type TrainEstimatorOptions, trainEstimator } from './estimate/train.ts';
export type { GraphBuilder } from './graph/builder.ts';
export type { DType, Graph, HostTensor, IntTensor, NodeId, Shape } from './graph/ir.ts';
export * as ops from './graph/ops.ts';
export { costsOf, MEASURES, type Measure, type StaticMeasure, type Subject, subjectOf } from './measure/index.ts';
export {
  defineMeasure,
  type MeasureDefinition,
  type MeasuredMember,
  type MeasuredNetwork,
  type OwnMeasure,
} from './measure/own.ts';
export { checkBuildable } from './network/buildable.ts';
export { networkCosts } from './network/costs.ts';
export { type GenomeGraph, genomeCosts, genomeGraph } from './network/genome.ts';
export type { MixtureForm } from './network/mixture.ts';
export { type Morphism, type MorphRequest, morphWeights } from './network/morphism.ts';
export type { Costs, LayerCosts } from './network/network.ts';
export {
  type Coefficients,
  coefficientGrid,
  EFFICIENTNET,
  type Scaled,
  scaleNetwork,
} from './network/scaling/compound.ts';
export type { OneShotDefinition } from './oneshot/definition.ts';
export { type EnasRequest, type EnasSettings, openEnasSupernet } from './oneshot/enas.ts';
export { type GdasRequest, type GdasSettings, openGdasSupernet } from './oneshot/gdas.ts';
export { collapseOf } from './oneshot/guards.ts';
export { ONE_SHOT } from './oneshot/index.ts';
export { type MixtureRequest, type MixtureSettings, openMixtureSupernet } from './oneshot/mixture.ts';
export { openProgressiveSupernet, type ProgressiveOptions } from './oneshot/p-darts.ts';
export {
  openPathDropoutSupernet,
  type PathDropoutOptions,
  type PathDropoutSupernet,
} from './oneshot/path-dropout.ts';
export { openPartialChannelsSupernet, type PartialChannelsOptions } from './oneshot/pc-darts.ts';
export {
  openSinglePathSupernet,
  type SinglePathRequest,
  type SinglePathSettings,
  type SinglePathSupernet,
} from './oneshot/single-path.ts';
export type { Supernet, SupernetRequest } from './oneshot/supernet.ts';
export { type DrawingOptions, drawArchitecture } from './report/drawing/draw.ts';
export { drawGenome, type GenomeDrawing } from './report/drawing/genome.ts';
export { architectureText } from './report/drawing/text.ts';
export { exportGenome, type GenomeExport } from './report/export/genome.ts';
export type { ModelMetadata } from './report/export/metadata.ts';
export { type ExportRequest, exportOnnx, readModel } from './report/export/onnx.ts';
export { checkParity, PARITY_LIMIT, type ParityRequest } from './report/export/parity.ts';
export { type Answer, type Answered, type ExportedModel, openModel } from './report/exported-model.ts';
export type { TestAccuracy } from './report/tabular/nas-bench-201-test.ts';
export type { Connection, Genome, GenomeShape } from './space/genome/genome.ts';
export type { Alignment, CrossRates, GenomeMoves, WeightRates } from './space/genome/moves.ts';
export { type NeatSpace, type NeatSpaceOptions, neatSpace } from './space/genome/neat.ts';
export { isFixed, type SearchSpace } from './space/search-space.ts';
export type * from './space/space.ts';
export {
  BASELINES,
  type Baseline,
  darts,
  enasMacro,
  mlp,
  nasBench101,
  nasBench201,
  nasnet,
  residualCnn,
  residualMlp,
  resnet,
  SPACES,
  smallCnn,
} from './space/spaces/index.ts';
export {
  architectureKey,
  checkArchitecture,
  formatArchitecture,
  parseArchitecture,
} from './space/tree/architecture.ts';
export {
  type AttentionOptions,
  activation,
  attention,
  auxiliary,
  avgPool,
  batchNorm,
  type ConvOptions,
  choice,
  classToken,
  conv,
  convTranspose,
  type DagNodeOptions,
  type DagOptions,
  dag,
  dagOfNodes,
  dropout,
  dropPath,
  embedding,
  factorizedReduce,
  firstChannels,
  flatten,
  float,
  gelu,
  globalAvgPool,
  globalMaxPool,
  globalPool,
  glu,
  hardSigmoid,
  hardSwish,
  highway,
  identity,
  int,
  type LayerNormOptions,
  type LinearOptions,
  last as lastStep,
  layerNorm,
  linear,
  maxPool,
  type PoolOptions,
  patches,
  pick,
  pickInputs,
  piecewiseLinear,
  pool,
  positions,
  recurrent,
  recurrentCell,
  recurrentGraph,
  relu,
  relu6,
  repeat,
  residual,
  resize,
  rows,
  type SqueezeExciteOptions,
  scoped,
  sequential,
  shared,
  sigmoid,
  silu,
  squeezeExcite,
  stack,
  tanh,
  zero as zeroModule,
} from './space/tree/builders.ts';
export * from './space/tree/composites.ts';
export { type Constraints, constrained as constrainSpace } from './space/tree/constrain.ts';
export { count as countArchitectures } from './space/tree/count.ts';
export { decided, decisions as decisionsOf, isActive } from './space/tree/decisions.ts';
export { type Built, type DefineOptions, defineSpace } from './space/tree/define.ts';
export { derive as deriveSpace } from './space/tree/derive.ts';
export { describeDomain, domainSize, equalValues, formatValue, inDomain } from './space/tree/domain.ts';
export { encodeAdjacency, encodeOneHot, encodePath } from './space/tree/encode.ts';
export { first as firstArchitecture, successor as nextArchitecture } from './space/tree/enumerate.ts';
export { moduleFromJson, spaceFromJson, spaceToJson } from './space/tree/json.ts';
export type * from './space/tree/module.ts';
export {
  mapChildren,
  resolve as resolveArchitecture,
  resolveHyperparameters,
  scaleWidth,
  supernet as supernetOf,
} from './space/tree/resolve.ts';
export { searchSpaceOf } from './space/tree/tree-search-space.ts';
export {
  activeDecisions,
  crossover as crossArchitectures,
  mutate as mutateArchitecture,
  neighbors as neighborsOf,
  sample as sampleArchitecture,
} from './space/tree/vary.ts';
export { childrenOf } from './space/tree/walk.ts';
export * from './strategy/factories.ts';
export { createStrategy, type OptionRule, STRATEGIES, type StrategyDefinition } from './strategy/index.ts';
export { sampleWithin, withinLimits } from './strategy/limits.ts';
export { defineStrategy, type OwnStrategy } from './strategy/own.ts';
export type * from './strategy/strategy.ts';
export { treeOf } from './strategy/tree.ts';
export { type Agreement, agreementsOf } from './study/agreement.ts';
export type { Budget, BudgetEnd, Target } from './study/budget.ts';
export { defineConfig, type NetsmithConfig } from './study/define-config.ts';
export type { StudyEnd, StudyEvent } from './study/events.ts';
export type { Measuring, MemberMeasure } from './study/measuring.ts';
export { type FunctionTrial, functionWorkers, type ObjectiveFunction } from './study/own-function.ts';
export { bestOf, type Contender } from './study/ranking.ts';
export { runStudy, type StudyRun } from './study/run.ts';
export {
  type SimulatedTrial,
  type Simulation,
  type SimulationResult,
  simulate,
  tabularProblem,
} from './study/simulate.ts';
export { type Curve, type MedianOptions, medianStopping, type StoppingRule } from './study/stopping.ts';
export { memoryStore } from './study/store/memory.ts';
export type {
  Clock,
  NewStudy,
  Store,
  StrategyState,
  StudyRecord,
  Trial,
  TrialEnd,
  TrialKey,
  TrialState,
} from './study/store/store.ts';
export { inProcessPool } from './study/worker/in-process.ts';
export type { WorkerPool } from './study/worker/pool.ts';
export type { Bench, MakeBench, WorkerSetUp } from './study/worker/protocol.ts';
export {
  CLASS_METRICS,
  classNumberScorer,
  crossEntropy,
  largestClasses,
  PADDING,
  probabilities,
  probabilitiesOf,
} from './task/class-numbers.ts';
export { spaceTask, taskOf } from './task/index.ts';
export { floatInput, standardize } from './task/inputs.ts';
export { type ArrayScorer, type Measured, regressionScorer, type Scorer, scorerOf } from './task/metrics.ts';
export {
  defineLoss,
  defineMetric,
  type Loss,
  type LossDefinition,
  type MetricDefinition,
  type MetricScorer,
  type OwnMetric,
  withLoss,
  withMetric,
} from './task/own.ts';
export type * from './task/spec.ts';
export type * from './task/task.ts';
export type { CellShape, Checkpoint, EpochRecord, Guards, Mixture } from './train/checkpoint.ts';
export { MemoryShortage, TrainingFailure } from './train/failure.ts';
export { type Training, type TrainRequest, trainNetwork } from './train/loop.ts';
export { type Forecast, preflight } from './train/preflight.ts';
export { openPrograms, type Programs, type ProgramsOptions } from './train/programs.ts';
export { type Recipe, recipeFor } from './train/recipe.ts';
export { concatSamples } from './train/samples.ts';
export { DEFAULT_SETTINGS, type TrainSettings } from './train/settings.ts';
export { type Trainable, trainUntil } from './train/trainable.ts';
