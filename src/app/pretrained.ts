/** `--init-from`: the weights of an earlier study's best network, as a start for trainings on other data. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { invalid, UserError } from '../common/errors.ts';
import { type Rng, rng } from '../common/random.ts';
import { printable } from '../common/text.ts';
import type { DatasetInfo, SearchData } from '../data/dataset.ts';
import type { TokenizerData } from '../data/text/tokenizer.ts';
import { createGraph } from '../graph/builder.ts';
import { type HostTensor, sizeOf } from '../graph/ir.ts';
import { type Named, type Pretrained, startingTensors } from '../network/pretrained.ts';
import { isArchitectureMethod } from '../oneshot/names.ts';
import { showCount } from '../report/numbers.ts';
import { type Architecture, activeDecisions, combine, resolve, type Space, sample } from '../space/index.ts';
import type { SearchSpace } from '../space/search-space.ts';
import { decided } from '../space/tree/decisions.ts';
import { checkPlan, type StudyPlan } from '../study/plan.ts';
import { FUNCTION, type StudySettings } from '../study/spec.ts';
import { openStudyStore } from '../study/study.node.ts';
import { isTaskKind } from '../task/index.ts';
import { TrainingFailure } from '../train/failure.ts';
import { lowerOnData } from '../train/forward.ts';
import { keptWeights } from './evaluation/evaluation.ts';
import { hint } from './invocation.ts';
import { spaceOf } from './stored-space.ts';

/** A start for the trainings of a study. */
export interface OpenedPretrained {
  /** The folder of the study that the weights come from. */
  readonly dir: string;
  readonly sha256: string;
  readonly weights: Pretrained;
  /** For a search: what it tries first, the member that takes the most weights. Absent in worker processes. */
  readonly first?: readonly Architecture[];
  /** How much networks take. Absent in worker processes. */
  readonly note?: string;
}

/** Members that are looked at: what they take of the weights. */
const LOOKED = 16;

/** Opens `--init-from`. Throws UserError where it is no study, or no start for networks of the space on these data. `isWorker`: it has been checked. */
export async function openPretrained(
  settings: StudySettings,
  search: SearchData,
  { tree }: SearchSpace,
  designed: readonly Architecture[],
  isWorker = false,
): Promise<OpenedPretrained | undefined> {
  const { initFrom, estimator, seed } = settings;
  if (initFrom === undefined) return undefined;
  const refuse = (rule: string) => invalid('--init-from', `"${initFrom}"`, rule);
  if (estimator === FUNCTION || tree === undefined || tree.members !== undefined)
    throw refuse('needs networks that Netsmith trains, of a space that is a tree of modules');
  const dir = studyFolder(initFrom);
  const plan = await planIn(dir);
  checkFits(dir, plan, search);
  const kept = keptWeights(dir);
  if (kept === undefined)
    throw invalid('--init-from', `study "${dir}" has no weights`, `train its best network: ${hint('evaluate', dir)}`);
  const { architecture, sha256, tensors: values } = kept;
  const weights: Pretrained = {
    tensors: tensorsOf(spaceOf(plan, `study "${dir}"`), architecture, { info: plan.data }),
    weights: values,
    firstToken: paddingOf(plan.data) - paddingOf(search.info),
    sameOutputs: plan.data.kind === search.info.kind && isDeepStrictEqual(plan.data.labels, search.info.labels),
  };
  const opened = { dir, sha256, weights };
  if (isWorker) return opened;
  const takes = (member: Architecture) => takenBy(weights, tree, member, search);
  const random = Array.from({ length: LOOKED }, (_, i) => sample(tree, rng(seed, 'pretrained', i)));
  const draw = rng(seed, 'pretrained', 'nearest');
  const first = nearest(tree, architecture, [...designed, ...random], draw, (member) => takes(member).taken);
  const best = takes(first);
  if (best.taken === 0)
    throw invalid(
      '--init-from',
      `none of the weights of study "${dir}" fits a network of space "${tree.name}"`,
      `tensors must agree in name and shape: search the space of that study, --space ${plan.settings.space}`,
    );
  const shares = random.map((member) => takes(member)).map(({ taken, of }) => taken / of);
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const note = `${startText(dir, plan)}: a random network takes ${percent(mean)} of its weights from it on average, ${nearestText(settings)} ${percent(best.taken / best.of)} (${showCount(best.taken)}).`;
  return { ...opened, note, ...(!isArchitectureMethod(settings.strategy) && { first: [first] }) };
}

/**
 * The member that takes the most of the weights, of those that have the decisions of the pretrained network and others of `bases`. Decisions
 * that the weights do not depend on, such as a rate of dropout, are those of its base.
 */
function nearest(
  tree: Space,
  pretrained: Architecture,
  bases: readonly Architecture[],
  draw: Rng,
  taken: (member: Architecture) => number,
): Architecture {
  const found = bases.map((base) => {
    const member = combine(tree, [pretrained, base], draw);
    return { base, member, taken: taken(member) };
  });
  const [best] = found.toSorted((a, b) => b.taken - a.taken);
  if (best === undefined) throw new Error('no base to begin with');
  let { member } = best;
  for (const [name] of activeDecisions(tree, member)) {
    const own = decided(best.base, name);
    if (own === undefined) continue;
    const other = combine(tree, [{ [name]: own }, member, best.base], draw);
    if (taken(other) >= best.taken) member = other;
  }
  return member;
}

const nearestText = ({ strategy }: StudySettings) =>
  isArchitectureMethod(strategy) ? 'the nearest' : 'the nearest, which is tried first,';

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

const startText = (dir: string, { data, settings }: StudyPlan) =>
  `Trainings start from study "${printable(dir)}" (${data.kind}, ${settings.space})`;

/** For `train`. Throws UserError where the architecture takes nothing. */
export function startNote(
  { dir, weights }: OpenedPretrained,
  tree: Space,
  architecture: Architecture,
  data: OnData,
): string {
  const { taken, of } = takenBy(weights, tree, architecture, data);
  if (taken === 0)
    throw invalid('--init-from', `none of the weights of study "${dir}" fits this architecture`, 'give another --arch');
  return `${showCount(taken)} of its ${showCount(of)} weights start from study "${printable(dir)}".`;
}

/** The vocabulary of `--init-from`; undefined without, and where that study has no texts. Throws UserError where settings ask for another. */
export async function pretrainedTokenizer({
  initFrom,
  tokens,
  vocabulary,
}: StudySettings): Promise<TokenizerData | undefined> {
  if (initFrom === undefined) return undefined;
  const dir = studyFolder(initFrom);
  const { data } = await planIn(dir);
  const tokenizer = data.text?.tokenizer;
  if (tokenizer === undefined) return undefined;
  const rule = `must be absent with --init-from: the network of study "${dir}" reads ${tokenizer.kind} of its own vocabulary`;
  if (tokens !== undefined && tokens !== tokenizer.kind) throw invalid('--tokens', `"${tokens}"`, rule);
  if (vocabulary !== undefined) throw invalid('--vocabulary', String(vocabulary), rule);
  return tokenizer;
}

/** The folder of the study that a path names: itself, or that of the model that a study has exported. Throws UserError for any other. */
export function studyFolder(path: string): string {
  const isStudy = (dir: string) => existsSync(join(dir, 'study.db'));
  if (isStudy(path)) return path;
  const folder = dirname(path);
  if (/\.onnx$/i.test(path) && basename(folder) === 'best' && isStudy(dirname(folder))) return dirname(folder);
  const rule = 'must be the folder of a study, such as runs/book-1';
  if (!existsSync(path)) throw invalid('--init-from', `"${path}" does not exist`, rule);
  const isModel = /\.onnx$/i.test(path);
  const why = isModel ? ': layers of an exported model are merged, so name the study that it comes from' : '';
  throw invalid('--init-from', `"${path}" is no study`, `${rule}${why}`);
}

async function planIn(dir: string): Promise<StudyPlan> {
  const store = await openStudyStore(dir, 'read');
  try {
    return checkPlan((await store.study()).settings, dir);
  } finally {
    await store.close();
  }
}

type OnData = Pick<SearchData, 'info' | 'task'>;

/** Throws UserError unless networks of the study read the same kind of data. */
function checkFits(dir: string, { data }: StudyPlan, { info }: OnData): void {
  if (!isTaskKind(data.kind))
    throw invalid(
      '--init-from',
      `the task of study "${dir}" is ${data.kind}`,
      'must be a task of Netsmith with samples',
    );
  const [theirs, ours] = [readingOf(data), readingOf(info)];
  if (theirs !== ours)
    throw invalid('--init-from', `networks of study "${dir}" read ${theirs}`, `must read ${ours}, as these data are`);
  if (!isDeepStrictEqual(data.text?.tokenizer, info.text?.tokenizer))
    throw invalid('--init-from', `networks of study "${dir}" read other tokens`, 'must read the tokens of these data');
}

function readingOf({ input, text, vocabulary }: DatasetInfo): string {
  if (text !== undefined || vocabulary !== undefined) return 'texts';
  return input.length === 3 ? 'images' : input.length === 2 ? 'sequences' : 'tables';
}

/** Tokens before those of the vocabulary: texts with a class have one that is padding. */
const paddingOf = ({ text }: DatasetInfo): 0 | 1 => (text?.padded ? 1 : 0);

/** The parameters and statistics of a network. */
function tensorsOf(space: Space, architecture: Architecture, data: OnData): readonly Named[] {
  const network = resolve(space, architecture);
  const on = { network, ...data, resolution: 1 };
  const { parameters, statistics } = lowerOnData(createGraph(), on, 1, 'infer');
  return [...parameters, ...statistics].map(({ path, shape, role }) => ({ path, shape, ...(role && { role }) }));
}

/** How many of its weights a network takes. One that cannot be built takes none. */
function takenBy(weights: Pretrained, space: Space, architecture: Architecture, data: OnData) {
  try {
    const wanted = tensorsOf(space, architecture, data);
    const zeros = ({ shape }: Named): HostTensor => ({ shape, data: new Float32Array(sizeOf(shape)) });
    const fresh = Object.fromEntries(wanted.map((one) => [one.path, zeros(one)]));
    const of = wanted.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    return { taken: startingTensors(wanted, fresh, weights).taken, of };
  } catch (error) {
    if (error instanceof UserError || error instanceof TrainingFailure) return { taken: 0, of: 1 };
    throw error;
  }
}
