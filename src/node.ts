/**
 * Netsmith on Node: everything of `netsmith`, and studies in folders (`createStudy`), data sets, ONNX Runtime and worker processes.
 *
 * @packageDocumentation
 */
import './common/node-version.ts';

export type { ChoiceOptions } from './app/choice.ts';
export { type CompareSpec, compare } from './app/compare/compare.ts';
export type { ComparisonFiles, ComparisonResult } from './app/compare/result.ts';
export { type Examined, examineMachine } from './app/doctor.ts';
export type { BaselineEvents, StudyBaselinesOptions } from './app/evaluation/baselines.ts';
export type { EvaluateOptions, EvaluationEvents } from './app/evaluation/evaluate.ts';
export type { EvaluationResult } from './app/evaluation/result.ts';
export type { Exported } from './app/export.ts';
export { type ListedStudy, listStudies } from './app/list-studies.ts';
export {
  createStudy,
  type FinalOptions,
  type Optimized,
  type OptimizeOptions,
  openStudy,
  type Study,
} from './app/open.ts';
export type { GivenSpace, MemberOf, NetworkOf, StudySpec } from './app/spec.ts';
export type { BestNetwork, StudyTrial } from './app/views.ts';
export type { BaselineRow } from './baseline/run.ts';
export { type CheckEnvironmentOptions, checkEnvironment } from './control/conformance.node.ts';
export { type ProcessEnvironmentOptions, processEnvironment } from './control/process/environment.node.ts';
export { checkDataset } from './data/conformance.node.ts';
export { openDigits } from './data/digits/digits.ts';
export { type DownloadOptions, type DownloadProgress, downloadDataset } from './data/download.node.ts';
export { openDataset } from './data/open.node.ts';
export { nodeRuntime } from './engine/runtime/node.node.ts';
export { threadedRuntime } from './engine/runtime/thread.node.ts';
export { type CheckEstimatorOptions, checkEstimator } from './estimate/conformance.node.ts';
export { openCsvTable } from './estimate/tabular/csv.node.ts';
export { openNasBench201 } from './estimate/tabular/nas-bench-201.node.ts';
export * from './index.ts';
export { type CheckMeasureOptions, checkMeasure } from './measure/conformance.node.ts';
export {
  openPredictor,
  type Prediction,
  type Predictor as ModelPredictor,
  predictFiles,
} from './report/predict.node.ts';
export { openCsvTest } from './report/tabular/csv-test.node.ts';
export { openNasBench201Test } from './report/tabular/nas-bench-201-test.node.ts';
export { type CheckSearchSpaceOptions, checkSearchSpace } from './space/conformance.node.ts';
export { type CheckStrategyOptions, checkStrategy } from './strategy/conformance.node.ts';
export { createStudyStore, openStudyStore } from './study/study.node.ts';
export { type ProcessPoolOptions, processPool } from './study/worker/process.node.ts';
export { serveTrials } from './study/worker/serve.node.ts';
export { checkTask, type TaskSamples } from './task/conformance.node.ts';
