/** The networks that `netsmith measure` puts side by side: of studies, of ONNX files, and architectures of a space. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { invalid, messageOf } from '../../common/errors.ts';
import type { Metrics, Objective } from '../../common/metrics.ts';
import { networkCosts } from '../../network/costs.ts';
import { modelProperties, type ReadModel, readModel, weightsIn } from '../../report/export/onnx.ts';
import { checkSeal } from '../../report/export/seal.node.ts';
import { untrainedExport, untrainedOnnx } from '../../report/export/untrained.ts';
import { parseArchitecture, resolve, type Space } from '../../space/index.ts';
import type { Module } from '../../space/tree/module.ts';
import { readPlain } from '../../study/store/files.node.ts';
import { factsOf, isTaskKind, spaceTask } from '../../task/index.ts';
import { chosen } from '../choice.ts';
import { readEvaluation, summarize } from '../evaluation/evaluation.ts';
import { treeOf } from '../setup.ts';
import { type ReadStudy, readStudy } from '../study.ts';

/** How good a network is, where it is known. */
export interface KnownValue {
  /** The first metric of its task, such as accuracy. */
  readonly metric: string;
  readonly direction: Objective['direction'];
  readonly value: number;
  /** The samples that it was measured on. */
  readonly on: 'test' | 'validation';
}

/** A network that is put beside others. */
export interface Contestant {
  /** As the command names it. */
  readonly name: string;
  readonly kind: 'study' | 'model' | 'architecture';
  /** The ONNX file that is timed. */
  readonly model: Uint8Array;
  /** Whether its weights are random: it takes as long, but answers nothing. */
  readonly untrained: boolean;
  readonly params: number;
  readonly flops?: number;
  readonly value?: KnownValue;
  /** An export of Netsmith, which can be scored. */
  readonly read?: ReadModel;
}

/** ONNX files cannot be larger: protobuf's own limit. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;

/**
 * A network by its name: the folder of a study, an ONNX file, or an architecture of `space` (its notation, a published name, or JSON). Throws
 * UserError for anything else.
 */
export async function contestantNamed(name: string, space: Space | undefined): Promise<Contestant> {
  if (existsSync(join(name, 'study.db'))) return ofStudy(name);
  if (/\.onnx$/i.test(name)) return ofFile(name);
  if (space === undefined)
    throw invalid(
      'measure',
      `"${name}"`,
      'must be the folder of a study or an .onnx file; an architecture needs its --space',
    );
  const network = resolve(space, parseArchitecture(space, name));
  const { params, flops } = networkCosts(network, space.task);
  return { name, kind: 'architecture', model: untrainedOnnx(network, space.task), untrained: true, params, flops };
}

/** The network that commands take of a study, as it was exported, or with random weights where it was not yet. */
async function ofStudy(dir: string): Promise<Contestant> {
  const study = await readStudy(dir);
  const evaluation = readEvaluation(dir);
  const { trial, metrics } = chosen(study, dir, {}, evaluation?.trial);
  const tree = treeOf(study);
  const network = resolve(tree, trial.architecture);
  const { params, flops } = networkCosts(network, tree.task);
  const file = join(dir, 'best', 'model.onnx');
  const bytes = readPlain(file, MAX_MODEL_BYTES);
  const read = bytes && checkedModel(file, bytes);
  // One that was exported of another trial is not the network that is asked for.
  const exported = read?.metadata.architecture === study.space.format(trial.architecture) ? bytes : undefined;
  const tested = evaluation?.trial === trial.trial ? meansOf(evaluation.metrics) : undefined;
  const [objective] = factsOf(study.data).metrics;
  const value = knownValue(objective, tested, 'test') ?? knownValue(objective, metrics, 'validation');
  return {
    name: dir,
    kind: 'study',
    model: exported ?? untrained(study, network),
    untrained: exported === undefined,
    params,
    flops,
    ...(value && { value }),
  };
}

/** As it would be exported, where the study has the data of a task that Netsmith knows. */
function untrained({ data, settings }: ReadStudy, network: Module): Uint8Array {
  const isOnData = settings.benchmark === undefined && isTaskKind(data.kind);
  return isOnData ? untrainedExport(network, { info: data }) : untrainedOnnx(network, spaceTask(data));
}

/** Of each metric over the repetitions. */
function meansOf(repetitions: readonly Metrics[]): Metrics {
  return Object.fromEntries(Object.entries(summarize(repetitions)).map(([name, { mean }]) => [name, mean]));
}

export function knownValue(
  { metric, direction }: Objective,
  metrics: Metrics | undefined,
  on: KnownValue['on'],
): KnownValue | undefined {
  const value = metrics?.[metric];
  return value === undefined || !Number.isFinite(value) ? undefined : { metric, direction, value, on };
}

function ofFile(file: string): Contestant {
  const place = `model "${file}"`;
  if (!existsSync(file)) throw invalid('measure', `"${file}"`, 'there is no such file');
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw invalid(place, messageOf(error), 'must be a readable file');
  }
  const isOurs = Object.keys(modelProperties(place, bytes)).some((key) => key.startsWith('netsmith.'));
  const read = isOurs ? checkedModel(file, bytes) : undefined;
  return {
    name: file,
    kind: 'model',
    model: bytes,
    untrained: false,
    params: weightsIn(place, bytes),
    ...(read && { flops: read.flops, read }),
  };
}

/** Throws UserError for a file that is not as Netsmith exported it. */
function checkedModel(file: string, bytes: Uint8Array): ReadModel {
  const place = `model "${file}"`;
  checkSeal(place, bytes, modelProperties(place, bytes));
  return readModel(place, bytes);
}
