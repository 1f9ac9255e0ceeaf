import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { invalid } from '../common/errors.ts';
import type { Metrics } from '../common/metrics.ts';
import { rank } from '../common/pareto.ts';
import type { Task } from '../space/index.ts';
import { isMember, type SearchSpace } from '../space/search-space.ts';
import { type SettingName, TRAINING_NAMES } from '../study/spec.ts';
import type { EarlierTrial } from '../study/store/store.ts';
import type { Notes } from './notes.ts';
import type { Setup } from './setup.ts';
import { identityOf, type ReadStudy, readStudy, unplaced } from './study.ts';

/** What values depend on besides the architecture. */
const PROTOCOL: readonly SettingName[] = [
  ...(['data', 'trainSamples', 'validShare', 'dataShare', 'resolution', 'width'] as const),
  ...TRAINING_NAMES,
];

/**
 * The complete trials of the full fidelity of earlier studies, in the order of the folders and of their numbers; the studies are only read. Says
 * so where they were trained otherwise. Throws UserError for a study of another space, task or objective, one without such
 * trials, and a folder that is named twice.
 */
export async function readPrior(dirs: readonly string[], setup: Setup, notes: Notes): Promise<readonly EarlierTrial[]> {
  const seen = new Set<string>();
  const earlier: EarlierTrial[] = [];
  for (const dir of dirs) {
    if (seen.has(resolve(dir))) throw invalid('--prior', `"${dir}" twice`, 'each study can be given only once');
    seen.add(resolve(dir));
    const study = await readStudy(dir);
    checkSame(dir, study, setup);
    const { settings, record, problem, trials } = study;
    const full = problem.fidelities.length - 1;
    const complete = trials.filter(
      ({ purpose, state, fidelity }) => purpose === 'search' && state === 'complete' && fidelity === full,
    );
    if (complete.length === 0)
      throw invalid(
        '--prior',
        `study "${dir}" has no complete trial`,
        'an earlier study needs at least one complete trial',
      );
    if (settings.estimator === 'predictor')
      throw invalid(
        '--prior',
        `study "${dir}" has only predicted values`,
        'an earlier study must have measured values',
      );
    const names =
      settings.estimator === setup.settings.estimator ? [...PROTOCOL, 'estimatorOptions' as const] : PROTOCOL;
    const others = names.filter((name) => !isDeepStrictEqual(settings[name], setup.settings[name]));
    const differences = others.map((name) => `${name} was ${JSON.stringify(settings[name]) ?? 'not set'}`);
    notes.note(
      `Warm-starting from ${complete.length} trials of study "${dir}".${differences.length === 0 ? '' : ` Note: they used different settings (${differences.join(', ')}); their values are used unchanged.`}`,
    );
    const members = complete.filter(({ architecture }) => isMember(setup.space, architecture));
    if (members.length < complete.length)
      notes.note(
        `${complete.length - members.length} of them are left out: their architectures do not keep the constraints of this study.`,
      );
    for (const { trial, architecture, metrics, costs, seconds } of members)
      earlier.push({ study: record.name, trial, architecture, metrics, costs, seconds });
  }
  return earlier;
}

function checkSame(dir: string, study: ReadStudy, { space, problem }: Setup): void {
  const differs = (what: string, found: string, wanted: string) =>
    invalid('--prior', `study "${dir}" has the ${what} ${found}`, `must be the same as in this study, ${wanted}`);
  const [theirs, ours] = [study.space.tree, space.tree];
  if (theirs !== undefined && ours !== undefined && !isDeepStrictEqual(unplaced(theirs).task, unplaced(ours).task))
    throw differs('task', taskText(theirs.task), taskText(ours.task));
  if (!isDeepStrictEqual(identityOf(study.space), identityOf(space))) {
    const text = ({ name, tree }: SearchSpace) =>
      tree === undefined ? name : `${name} ${JSON.stringify(tree.options)}`;
    throw differs('space', text(study.space), text(space));
  }
  const [found, wanted] = [study.problem, problem].map(({ objectives }) => objectives.map(({ metric }) => metric));
  if (!isDeepStrictEqual(found, wanted))
    throw differs('objectives', String(found?.join(', ')), String(wanted?.join(', ')));
}

function taskText({ kind, input, outputs }: Task): string {
  return `${kind} of [${input.join(', ')}] with ${outputs} outputs`;
}

/** Earlier trials by the study that they come from: `{ study, trials, best }`, `best` the metrics of its best (of the front, the first). */
export function earlierStudies({ earlier, problem }: Pick<ReadStudy, 'earlier' | 'problem'>) {
  return [...Map.groupBy(earlier, ({ study }) => study)].map(([study, trials]) => {
    const ranked = rank(
      trials.map(({ metrics, costs }) => ({ metrics: { ...costs, ...metrics } as Metrics, own: metrics })),
      problem.objectives,
    );
    return { study, trials: trials.length, best: ranked[0]?.own ?? {} };
  });
}
