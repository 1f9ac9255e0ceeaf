/**
 * Latencies on this machine: how well a table of blocks predicts whole networks (`netsmith profile`), and how much two measurements of one network differ.
 * Run it while nothing else computes: `npm run -s bench:latency -- [SPACE ...]`. The measurements are kept in
 * bench/results/latency-SPACE.json, and a second run continues with them.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { latencyOfNetwork, openMeter } from '../src/app/device/meter.ts';
import { profileSpace } from '../src/app/device/profile.ts';
import { profileText } from '../src/app/device/profile-result.ts';
import { rng } from '../src/common/random.ts';
import type { Task } from '../src/space/space.ts';
import { SPACES } from '../src/space/spaces/index.ts';
import { resolve } from '../src/space/tree/resolve.ts';
import { sample } from '../src/space/tree/vary.ts';

const TASK: Task = { kind: 'classification', input: [3, 64, 64], outputs: 10 };
const SETTINGS = { target: 'node', batch: 1, threads: 1, patience: 120 } as const;
const RESULTS = join(import.meta.dirname, 'results');
const REPEATED = 20;

const named = process.argv.slice(2);
mkdirSync(RESULTS, { recursive: true });
for (const name of named.length > 0 ? named : ['mobilenet', 'residual-cnn']) {
  const definition = Object.values(SPACES).find((one) => one.name === name);
  if (definition === undefined) throw new Error(`there is no space "${name}"`);
  const space = definition.create(TASK);
  const out = join(RESULTS, `latency-${name}.json`);
  let told = '';
  const profile = await profileSpace({
    ...{ space, settings: SETTINGS, out, blocks: 1500, calibrate: 100, check: 50, seed: 0 },
    signal: new AbortController().signal,
    onProgress(done, all, what) {
      const text = `${Math.floor((10 * done) / all) * 10} % of ${all} ${what}`;
      if (text !== told) console.error(text);
      told = text;
    },
  });
  console.log(`${name}\n${profileText(out, profile)}`);
  await compareTwice(name, space);
}

/** Each network is measured twice, the others in between. */
async function compareTwice(name: string, space: ReturnType<(typeof SPACES)['mobilenet']['create']>): Promise<void> {
  const meter = await openMeter(SETTINGS);
  try {
    const networks = Array.from({ length: REPEATED }, (_, i) => resolve(space, sample(space, rng('twice', name, i))));
    const rounds = [];
    for (let round = 0; round < 2; round++) {
      const measured = [];
      for (const network of networks) measured.push(await latencyOfNetwork(meter, network, space.task));
      rounds.push(measured);
    }
    const [first = [], second = []] = rounds;
    const differences = first.map(({ ms }, i) => Math.abs(Math.log(ms / (second[i]?.ms ?? Number.NaN))));
    const unsaid = first.filter(({ ms, interval }, i) => {
      const other = second[i];
      if (other === undefined || (differences[i] ?? 0) <= Math.log(1.1)) return false;
      return interval[1] < other.interval[0] || other.interval[1] < interval[0] || ms === other.ms;
    });
    const largest = Math.max(...differences);
    console.log(
      `Twice    the two measurements of ${REPEATED} networks differ by at most ${(100 * Math.expm1(largest)).toFixed(1)} %; ${unsaid.length} by more than 10 % without an interval that says so`,
    );
  } finally {
    await meter.close();
  }
}
