/** The limits of latency and energy at the end of a run: which network is trained for good, and what its exported file takes. */
import { smallest } from '../../common/extremes.ts';
import { type Measured, showLatency, showMilliseconds } from '../../device/measure.ts';
import { untrainedExport } from '../../report/export/untrained.ts';
import { resolve } from '../../space/tree/resolve.ts';
import { latencySettings } from '../../study/latency.ts';
import type { Remeasured } from '../../study/plan.ts';
import { openStudyStore } from '../../study/study.node.ts';
import { TrainingFailure } from '../../train/failure.ts';
import { bestTrials } from '../best.ts';
import { type ChoiceOptions, type Chosen, chosen } from '../choice.ts';
import type { Notes } from '../notes.ts';
import { type Setup, treeOf } from '../setup.ts';
import { planOf, planToJson, type ReadStudy, readStudy } from '../study.ts';
import { type DeviceLimit, deviceLimit } from './limit.ts';
import { latencyOfFile, openMeter } from './meter.ts';

/** A second measurement, where the first does not say that the limit is kept. */
const THOROUGH = { rounds: { least: 4, most: 16 }, seconds: 0.6 };

/** The best network of a study that keeps its limits on the device, and the study, in which those that do not count as failed. */
export interface Within {
  readonly study: ReadStudy;
  readonly best: Chosen;
}

/**
 * Measures the best network again, now that nothing else is trained. If its interval reaches above the limit, it does the same with the next
 * best one. It stores what it measures, so that every command then takes the same network. Throws TrainingFailure where no network keeps the limit.
 */
export async function chooseWithin(
  dir: string,
  setup: Setup,
  options: ChoiceOptions,
  notes: Notes,
  signal: AbortSignal,
): Promise<Within> {
  const given = latencySettings(setup.settings);
  const first = await readStudy(dir);
  const limit = given && deviceLimit(given);
  if (given === undefined || limit === undefined) return { study: first, best: chosen(first, dir, options) };
  const meter = await openMeter(given);
  try {
    for (let study = first; ; study = await readStudy(dir)) {
      if (bestTrials(study).length === 0) throw nothingKeeps(dir, study, limit);
      const best = chosen(study, dir, options);
      const { trial, architecture } = best.trial;
      if (study.remeasured?.some((one) => one.trial === trial && one.kept)) return { study, best };
      const tree = treeOf(setup);
      const measure = (thorough?: typeof THOROUGH) =>
        meter.ofModel(untrainedExport(resolve(tree, architecture), setup.dataset.search), { ...thorough, signal });
      let { ms, interval } = await measure();
      if (interval[1] > limit.ms) ({ ms, interval } = await measure(THOROUGH));
      const kept = interval[1] <= limit.ms;
      await store(dir, { trial, ms, interval, kept });
      if (kept) return { study: await readStudy(dir), best };
      notes.note(
        `Trial ${trial} is left out: ${showLatency({ ms, interval })} when measured again; the limit is ${limit.words}.`,
      );
    }
  } finally {
    await meter.close();
  }
}

/** Stores what was measured of a network, in the place of what was measured of it before. */
async function store(dir: string, measured: Remeasured): Promise<void> {
  const open = await openStudyStore(dir, 'write');
  try {
    const plan = planOf(await open.study(), dir);
    const others = (plan.remeasured ?? []).filter(({ trial }) => trial !== measured.trial);
    await open.revise(planToJson({ ...plan, remeasured: [...others, measured] }));
  } finally {
    await open.close();
  }
}

/** The smallest latency of the trials of a study, as words; empty where none has one. */
export function smallestLatency({ trials, remeasured = [] }: Pick<ReadStudy, 'trials' | 'remeasured'>): string {
  const all = [...trials.flatMap(({ costs }) => costs.latency ?? []), ...remeasured.map(({ ms }) => ms)];
  return all.length === 0 ? '' : `; the smallest latency seen is ${showMilliseconds(smallest(all))} ms`;
}

function nothingKeeps(dir: string, study: ReadStudy, { words }: DeviceLimit): TrainingFailure {
  return new TrainingFailure(`no network of study "${dir}" keeps the limit of ${words}${smallestLatency(study)}`);
}

/** What the exported file takes on the device. */
export interface FinalLatency extends Measured {
  readonly device: string;
  /** ms; absent: the study has none. */
  readonly limit?: number;
  readonly kept: boolean;
}

/**
 * Measures the exported file, as an application will run it. Undefined where the study takes no latencies. A file that misses the limit counts as too slow
 * from then on.
 */
export async function measureExported(
  dir: string,
  { settings }: Setup,
  { file, trial }: { readonly file: string; readonly trial: number },
  device: string | undefined,
  signal: AbortSignal,
): Promise<FinalLatency | undefined> {
  const given = latencySettings(settings);
  if (given === undefined) return undefined;
  const max = deviceLimit(given)?.ms;
  let measured = await latencyOfFile(file, given, signal);
  // Something else may have disturbed the device meanwhile; that makes a run slower and never faster.
  if (max !== undefined && measured.interval[1] > max) {
    const again = await latencyOfFile(file, given, signal);
    if (again.interval[1] < measured.interval[1]) measured = again;
  }
  const kept = max === undefined || measured.ms <= max;
  if (!kept) await store(dir, { trial, ms: measured.ms, interval: measured.interval, kept });
  return { ...measured, device: device ?? given.target, ...(max !== undefined && { limit: max }), kept };
}

/** The verdict's sentence on the latency. */
export function latencyText({ device, limit, ...measured }: FinalLatency): string {
  const found = `${showLatency(measured)} for the exported file on ${device}`;
  if (limit === undefined) return `Latency ${found}.`;
  const doubt = measured.interval[1] > limit ? ' The interval reaches above the limit: the device was disturbed.' : '';
  return `Keeps the limit of ${showMilliseconds(limit)} ms: ${found}.${doubt}`;
}
