/** Environments through stored studies: search, kill, resume, evaluate, export, report by the commands, and what is refused. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { compareStudies } from '../src/app/compare/studies.ts';
import { createStudy } from '../src/app/open.ts';
import { rng } from '../src/common/random.ts';
import { ENVIRONMENTS } from '../src/control/index.ts';
import { createEngine } from '../src/engine/create.ts';
import { nodeRuntime } from '../src/engine/runtime/node.node.ts';
import { openStudyStore } from '../src/study/study.node.ts';
import { trainedEssence } from '../src/study/testing/studies.ts';
import { json, refusedIn } from './support/netsmith.ts';
import { startHeld } from './support/process.ts';

const folder = mkdtempSync(join(tmpdir(), 'netsmith-control-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A training of a moment. */
const TINY = [
  '--env-steps',
  '512',
  '--epochs',
  '2',
  '--trainer-options',
  'lanes=4,rollout=32,passes=2',
  '--episodes',
  '3',
];

async function essenceOf(dir: string) {
  const store = await openStudyStore(dir, 'read');
  try {
    return await trainedEssence(store);
  } finally {
    await store.close();
  }
}

/** Plays the test episodes, all at once, by a function of raw observations [N, 4], and returns the mean return. */
async function playedOn(act: (observations: Float32Array) => Promise<Float32Array>, count: number): Promise<number> {
  const lanes = ENVIRONMENTS['cart-pole'].open(count);
  for (let lane = 0; lane < count; lane++) lanes.reset(lane, rng('episode', 1_000_000 + lane));
  while ([...lanes.terminated].some((ended, lane) => ended === 0 && lanes.truncated[lane] === 0)) {
    const scores = await act(lanes.observations);
    lanes.step(
      Float32Array.from({ length: count }, (_, lane) =>
        Number(Number(scores[2 * lane + 1]) > Number(scores[2 * lane])),
      ),
    );
  }
  return lanes.returns.reduce((sum, one) => sum + one, 0) / count;
}

/** Kills the command as soon as it has printed the text. */
async function killedAfter(text: string, ...command: readonly string[]): Promise<void> {
  const child = startHeld({ text, times: 1 }, ...command);
  const exit = once(child, 'exit');
  await new Promise<void>((resolve) => child.stderr?.on('data', (now: string) => now.includes(text) && resolve()));
  child.kill('SIGKILL');
  await exit;
}

test('a policy: killed and resumed, the search has the trials of one that nobody killed; the exported file plays its test', async () => {
  const [whole, dir] = [join(folder, 'whole'), join(folder, 'killed')];
  const search = ['search', '--environment', 'cart-pole', ...TINY, '--trials', '2'];
  await json(...search, '--out', whole);
  await killedAfter('of 2]', ...search, '--out', dir);
  const { best } = await json('resume', dir);
  assert.deepEqual(Object.keys(best.metrics).toSorted(), ['fitness', 'return', 'steps', 'success', 'trainLoss']);
  assert.deepEqual(await essenceOf(dir), await essenceOf(whole));
  const { axis, competitors } = await compareStudies([{ dir: whole }]);
  assert.deepEqual([axis, competitors[0]?.runs[0]?.end], ['environment steps', 2 * 512]);

  const { test: tested } = await json('evaluate', dir, '--seeds', '1');
  const { file, parity } = await json('export', dir);
  assert.ok(parity < 1e-5);
  const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
  const program = await engine.load(readFileSync(file));
  const played = await playedOn(async (observations) => {
    const results = await program.run({ observation: { shape: [100, 4], data: observations } });
    return results.probabilities?.data ?? new Float32Array();
  }, 100);
  await program.dispose();
  await engine.dispose();
  assert.ok(Math.abs(played - tested.return.mean) < 0.5, `${played}, but the test was ${tested.return.mean}`);
  const html = readFileSync((await json('report', dir)).file, 'utf8');
  assert.match(html, /Episode of cart-pole: \d+ steps/);
  assert.match(html, /environment steps/);
});

test('genomes play: neat finds one for xor, killed and resumed the same one, and its file answers as it did', async () => {
  const [dir, killed] = [join(folder, 'xor'), join(folder, 'xor-killed')];
  const neat = ['--strategy', 'neat', '--strategy-options', 'population=10', '--trials', '30'];
  const search = ['search', '--environment', 'xor', ...neat];
  const { best } = await json(...search, '--out', dir);
  await killedAfter('[17 of 30]', ...search, '--out', killed);
  await json('resume', killed);
  assert.deepEqual(await essenceOf(killed), await essenceOf(dir));
  const { file } = await json('export', dir);
  const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
  const program = await engine.load(readFileSync(file));
  const { output } = await program.run({ input: { shape: [4, 2], data: Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1) } });
  await program.dispose();
  await engine.dispose();
  const errors = [0, 1, 1, 0].reduce((sum, right, i) => sum + Math.abs(right - (output?.data[i] ?? Number.NaN)), 0);
  assert.ok(Math.abs((4 - errors) ** 2 - best.metrics.fitness) < 1e-4);
  assert.ok((await json('report', dir)).file);
});

/** A walk of a user's own; `step` is what a step does. */
const walk = (name: string, step: string) => {
  const file = join(folder, `${name}.ts`);
  const module = new URL('../src/control/define.ts', import.meta.url).href;
  writeFileSync(
    file,
    `import { defineEnvironment } from ${JSON.stringify(module)};
export default defineEnvironment({
  name: 'walk', observation: { shape: [1], low: -5, high: 5 }, action: { kind: 'discrete', count: 2 }, maxSteps: 20,
  success: { rule: 'it reaches 5', holds: (episode) => episode.return >= 1 },
  open() {
    let at = 0;
    return {
      reset(rng, seen) { at = rng.int(3) - 1; seen[0] = at; },
      step(action, seen) { at += action[0] === 1 ? 1 : -1; ${step} return { reward: Number(at === 5), terminated: Math.abs(at) === 5 }; },
    };
  },
});\n`,
  );
  return file;
};

test('an environment of a file: a stored study names it again; what it answers wrongly is refused before anything is written', async () => {
  const good = walk('good', 'seen[0] = at;');
  const dir = join(folder, 'own');
  await createStudy({ environment: good, dir });
  await refusedIn(folder, /environment is the file ".*good\.ts"; a stored study runs no code/, 'evaluate', dir);
  const other = walk('other', 'seen[0] = at / 2;');
  await refusedIn(folder, /the data have changed/, 'resume', dir, '--trials', '2', '--environment', other);

  const bad = (file: string) => ['search', '--environment', file, ...TINY, '--out', join(folder, 'bad')];
  const nan = walk('nan', 'seen[0] = NaN;');
  await refusedIn(folder, /observation, value 0 at step 1 \(lane 0\): NaN; must be a finite number/, ...bad(nan));
  const thrown = walk('thrown', "throw new TypeError('no step');");
  await refusedIn(folder, /thrown\.ts", line \d+: no step/, ...bad(thrown));
  const drifting = walk('drifting', 'seen[0] = at + Math.random();');
  await refusedIn(folder, /the same random stream and the same actions must give the same episode/, ...bad(drifting));
  const lying = `node -e "process.stdin.on('data', () => console.log('{}'))"`;
  await refusedIn(folder, /environment command .*, answer to describe: name; /, ...bad(lying));
  assert.ok(!existsSync(join(folder, 'bad')));
});

test('an environment that fails in one trial fails that trial', async () => {
  const tired = walk(
    'tired',
    'globalThis.taken = (globalThis.taken ?? 0) + 1; seen[0] = globalThis.taken > 300 ? NaN : at;',
  );
  const study = await createStudy({
    ...{ environment: tired, envSteps: 512, epochs: 2, trials: 1, dir: join(folder, 'tired') },
    trainerOptions: { lanes: 4, rollout: 32, passes: 1 },
  });
  await study.optimize();
  const [trial] = await study.trials();
  assert.equal(trial?.state, 'failed');
  assert.match(trial?.reason ?? '', /environment "walk": observation, value 0 at step \d+ .*: NaN; must be a finite/);
});

test('settings that contradict an environment are refused with the flag', async () => {
  for (const [expected, ...args] of [
    [/--trainer: "ppo"; must be given together with --environment/, '--trainer', 'ppo'],
    [/--environment: "cart-pol"; did you mean "cart-pole"/, '--environment', 'cart-pol'],
    [/--data: "csv"; does not apply to an environment/, '--environment', 'cart-pole', '--data', 'csv'],
    [/--learning-rate: 0.1; .*--trainer-options/, '--environment', 'cart-pole', '--learning-rate', '0.1'],
    [/--trainer: "dqn"; needs discrete actions/, '--environment', 'pendulum', '--trainer', 'dqn'],
    [/--env-steps: 100; must be at least 5120/, '--environment', 'cart-pole', '--env-steps', '100'],
    [/--trainer: "ppo"; the genomes .* are not trained/, '--environment', 'xor', '--space', 'neat', '--trainer', 'ppo'],
    [/space "neat": the task is classification/, '--space', 'neat'],
  ] as const)
    await refusedIn(folder, expected, 'search', ...args, '--out', join(folder, 'never'));
});
