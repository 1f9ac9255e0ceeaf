// Steps a second of our environments in one process, and of Gymnasium's CartPole beside them: its vectorized form of its own (numpy) and
// its lanes one after another. Actions are random and prepared; ended episodes are reset. Processor time, not time on the clock, so that
// other programs do not count.
//   python3 -m venv DIR && DIR/bin/pip install gymnasium
//   taskset -c 0 npx node --conditions=netsmith-source bench/control/steps.ts --python DIR/bin/python [--seconds 2] [--runs 5]
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { rng } from '../../src/common/random.ts';
import { actionSize, type Environment } from '../../src/control/environment.ts';
import { ENVIRONMENTS } from '../../src/control/index.ts';

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    seconds: { type: 'string', default: '2' },
    runs: { type: 'string', default: '5' },
    one: { type: 'string' },
  },
});
const LANES = [1, 8, 64, 1000];
/** Steps between two looks at the clock. */
const BATCH = 64;

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Steps of all lanes a second of processor time. */
function stepsOf(environment: Environment, count: number, seconds: number): number {
  const lanes = environment.open(count);
  const random = rng('bench', environment.name, count);
  for (let lane = 0; lane < count; lane++) lanes.reset(lane, random);
  const { action } = environment;
  const actions = Array.from({ length: BATCH }, () =>
    Float32Array.from({ length: count * actionSize(action) }, (_, i) => {
      if (action.kind === 'discrete') return random.int(action.count);
      const [low = 0, high = 0] = [action.low[i % action.size], action.high[i % action.size]];
      return low + (high - low) * random.float();
    }),
  );
  const { terminated, truncated } = lanes;
  const run = (limit: number): number => {
    const start = cpuSeconds();
    let steps = 0;
    let spent = 0;
    while (spent < limit) {
      for (const chosen of actions) {
        lanes.step(chosen);
        for (let lane = 0; lane < count; lane++)
          if (terminated[lane] === 1 || truncated[lane] === 1) lanes.reset(lane, random);
      }
      steps += BATCH * count;
      spent = cpuSeconds() - start;
    }
    return steps / spent;
  };
  run(seconds / 4);
  return run(seconds);
}

const seconds = Number(values.seconds);
if (values.one !== undefined) {
  // In a process of its own: what other environments have taught the compiler does not count.
  const [name = '', lanes = '1'] = values.one.split(':');
  const environment = Object.values(ENVIRONMENTS).find((one) => one.name === name);
  if (environment === undefined) throw new Error(`no environment is called ${name}`);
  console.log(stepsOf(environment, Number(lanes), seconds));
} else {
  const child = (name: string, lanes: number): number =>
    Number(
      execFileSync(
        process.execPath,
        [...process.execArgv, import.meta.filename, '--one', `${name}:${lanes}`, '--seconds', values.seconds],
        { encoding: 'utf8' },
      ),
    );
  const reference = (form: string, lanes: number): number =>
    Number(
      execFileSync(
        values.python ?? '',
        [new URL('gymnasium_steps.py', import.meta.url).pathname, form, String(lanes), values.seconds],
        { encoding: 'utf8' },
      ),
    );
  const median = (take: () => number): number => {
    const taken = Array.from({ length: Number(values.runs) }, take).sort((a, b) => a - b);
    return taken[Math.floor(taken.length / 2)] ?? Number.NaN;
  };
  const show = (value: number): string => Math.round(value).toLocaleString('en-US');
  console.log(`${cpus()[0]?.model}, node ${process.version}, median of ${values.runs} runs of ${values.seconds} s\n`);
  if (values.python !== undefined) {
    console.log('| lanes | cart-pole | Gymnasium, vectorized | times | Gymnasium, one after another | times |');
    console.log('|---|---|---|---|---|---|');
    for (const lanes of LANES) {
      const ours = median(() => child('cart-pole', lanes));
      const [numpy, sync] = ['vector_entry_point', 'sync'].map((form) => median(() => reference(form, lanes)));
      const cells = [numpy, sync].flatMap((value = Number.NaN) => [show(value), (ours / value).toFixed(1)]);
      console.log(`| ${lanes} | ${show(ours)} | ${cells.join(' | ')} |`);
    }
    console.log('');
  }
  console.log('| environment | steps a second, 64 lanes |');
  console.log('|---|---|');
  for (const { name } of Object.values(ENVIRONMENTS))
    console.log(`| \`${name}\` | ${show(median(() => child(name, 64)))} |`);
}
