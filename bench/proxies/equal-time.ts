/** How proxies, alone and together with the time of a step, order random networks that are all trained for the same seconds. */
import { bootstrapInterval, kendall } from '../../src/common/correlation.ts';
import { rng } from '../../src/common/random.ts';
import { ranksOf } from '../../src/common/ranks.ts';
import type { SearchData } from '../../src/data/dataset.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { freereaScore } from '../../src/estimate/proxies/ensemble.ts';
import { openProxies, type ProxyName, type ProxyScores } from '../../src/estimate/proxies/measure.ts';
import { shareOfSteps } from '../../src/estimate/proxies/speed.ts';
import { candidateNetwork } from '../../src/estimate/train.ts';
import { type Architecture, formatArchitecture, residualCnn } from '../../src/space/index.ts';
import { trainNetwork } from '../../src/train/loop.ts';
import { preflight } from '../../src/train/preflight.ts';
import { openPrograms } from '../../src/train/programs.ts';
import { recipeFor } from '../../src/train/recipe.ts';
import { DEFAULT_SETTINGS } from '../../src/train/settings.ts';
import { markdown } from '../engine/tables.ts';
import { distinct } from './correlations.ts';

const MEASURED = [
  'params',
  'flops',
  'skipReach',
  'synflow',
  'logSynflow',
  'zen',
  'gradNorm',
  'snip',
  'jacobian',
  'naswot',
] as const satisfies readonly ProxyName[];

/** One network: its scores, what a step takes, and what training has made of it. Seconds are of the processor. */
export interface TrainedMember {
  readonly architecture: string;
  readonly scores: ProxyScores;
  readonly proxySeconds: number;
  readonly compileSeconds: number;
  readonly stepSeconds: number;
  readonly steps: number;
  /** Accuracy on validation samples. */
  readonly accuracy: number;
}

export interface EqualTimeJob {
  readonly engine: Engine;
  readonly data: SearchData;
  readonly count: number;
  /** Of training, each; without compiling. */
  readonly seconds: number;
  readonly say: (line: string) => void;
}

/** Milliseconds of this process on its processor: other work on the machine does not count. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export async function trainEqually({ engine, data, count, seconds, say }: EqualTimeJob): Promise<TrainedMember[]> {
  const space = residualCnn.create(data.info);
  const members: TrainedMember[] = [];
  for (const architecture of distinct(space, count)) {
    const member = await trainOne(architecture);
    say(
      `${members.length + 1} of ${count}: ${(100 * member.accuracy).toFixed(2)} %, ${member.steps} steps of ${(1000 * member.stepSeconds).toFixed(0)} ms, ${member.architecture}`,
    );
    members.push(member);
  }
  return members;

  async function trainOne(architecture: Architecture): Promise<TrainedMember> {
    const began = processorTime();
    const proxies = openProxies(space, { engine, data, proxies: MEASURED });
    const scores = await proxies.measure(architecture);
    await proxies.dispose();
    const proxySeconds = (processorTime() - began) / 1000;
    const mostEpochs = 1000;
    const settings = { ...DEFAULT_SETTINGS, ...recipeFor(data.info, mostEpochs).settings, epochs: mostEpochs };
    const { valid, ...rest } = data;
    const request = {
      ...rest,
      engine,
      programs: openPrograms(engine),
      network: candidateNetwork({ space, architecture }, 1),
      settings: { ...settings, epochSamples: 10 * settings.batchSize },
      rng: (...labels: readonly (string | number)[]) => rng('equal time', ...labels),
      now: processorTime,
    };
    const { compileSeconds, sampleSeconds } = await preflight(request);
    const training = await trainNetwork({ ...request, time: { seconds, mostEpochs } });
    const { accuracy = Number.NaN } = (await training.measure(valid)).metrics;
    const steps = training.history.length * 10;
    await training.dispose();
    await request.programs.dispose();
    const stepSeconds = sampleSeconds * settings.batchSize;
    return {
      architecture: formatArchitecture(space, architecture),
      scores,
      proxySeconds,
      compileSeconds,
      stepSeconds,
      steps,
      accuracy,
    };
  }
}

export interface OrderedRow {
  readonly score: string;
  readonly kendall: number;
  readonly interval: readonly [number, number];
  /** The same together with the speed of a step: the mean of both ranks. */
  readonly withTime: number;
  readonly withTimeInterval: readonly [number, number];
}

/** `seconds`: that each has trained. */
export function orderRows(members: readonly TrainedMember[], seconds: number): OrderedRow[] {
  const truth = members.map(({ accuracy }) => accuracy);
  const speed = members.map(({ stepSeconds }) => -stepSeconds);
  const freerea = freereaScore(members.map(({ scores }) => scores));
  const scores: Readonly<Record<string, readonly number[]>> = {
    'speed of a step': speed,
    ...Object.fromEntries(MEASURED.map((name) => [name, members.map(({ scores }) => scores[name] ?? Number.NaN)])),
    freerea: members.map(({ scores }) => freerea(scores)),
    [`freerea, trainSeconds=${seconds}`]: members.map(
      ({ scores, stepSeconds }) => freerea(scores) * shareOfSteps(seconds / stepSeconds),
    ),
  };
  const speedRanks = ranksOf(speed);
  return Object.entries(scores).map(([score, values]) => {
    const together = ranksOf(values).map((rank, i) => rank + (speedRanks[i] ?? Number.NaN));
    return {
      score,
      kendall: kendall(values, truth),
      interval: bootstrapInterval(kendall, values, truth),
      withTime: kendall(together, truth),
      withTimeInterval: bootstrapInterval(kendall, together, truth),
    };
  });
}

export function equalTimeTable(rows: readonly OrderedRow[]): string {
  const show = (tau: number, [low, high]: readonly [number, number]) =>
    `${tau.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
  return markdown(
    ['score', "Kendall's tau", 'with the speed of a step'],
    rows.map((row) => [row.score, show(row.kendall, row.interval), show(row.withTime, row.withTimeInterval)]),
  );
}
