import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { json, netsmith } from './support/netsmith.ts';

const folder = mkdtempSync(join(tmpdir(), 'netsmith-fidelity-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const SMALL = ['--space', 'mlp', '--train-samples', '96', '--epochs', '4', '--seed', '5'];

interface Listed {
  readonly trial: number;
  readonly continues?: number;
  readonly epochs: number;
  readonly text: string;
  readonly metrics: object;
}

test('a trial that rises from checkpoint to checkpoint equals a training that never paused', async () => {
  const dir = join(folder, 'asha');
  const options = ['--strategy', 'asha', '--strategy-options', 'inner=random,eta=2,candidates=4'];
  await json('search', ...SMALL, ...options, '--trials', '14', '--out', dir);
  const trials: readonly Listed[] = await json('trials', dir);
  assert.deepEqual([...new Set(trials.map(({ epochs }) => epochs))].sort(), [1, 2, 4]);
  const full = trials.find(({ epochs }) => epochs === 4);
  const half = trials[full?.continues ?? -1];
  const root = trials[half?.continues ?? -1];
  assert.ok(full && half && root && root.continues === undefined);
  assert.deepEqual([full.text, half.epochs, root.epochs], [half.text, 2, 1]);

  const whole = join(folder, 'random');
  await json('search', ...SMALL, '--trials', `${root.trial + 1}`, '--out', whole);
  const unpaused = (await json('trials', whole))[root.trial] as Listed;
  assert.deepEqual([unpaused.text, unpaused.metrics], [full.text, full.metrics]);
  assert.deepEqual(readdirSync(join(dir, 'trials')).length, trials.length);
  assert.match((await netsmith('trials', dir)).out, new RegExp(`4 from trial ${half.trial}`));
});

test('trials are stopped by the rule that was asked for, and what does not fit is refused', async () => {
  const dir = join(folder, 'median');
  const rule = ['--stopping', 'median', '--stopping-options', 'trials=1,warmup=0'];
  await json('search', ...SMALL, ...rule, '--trials', '6', '--out', dir);
  const states = (await json('trials', dir)).map(({ state }: { state: string }) => state);
  assert.ok(states.includes('complete') && states.includes('pruned'), states.join());

  const refused = async (message: RegExp, ...args: string[]) => {
    const { code, err } = await netsmith('search', ...SMALL, ...args, '--out', join(folder, 'none'));
    assert.equal(code, 2);
    assert.match(err, message);
  };
  await refused(/--stopping-options: unknown option "warmup"/, '--stopping-options', 'warmup=1');
  await refused(
    /--stopping-options: option probability is 2/,
    '--stopping',
    'curve',
    '--stopping-options',
    'probability=2',
  );
  await refused(/one objective/, '--stopping', 'curve', '--objective', 'accuracy,params');
  await refused(/epochs is 4; must be at least 9/, '--strategy', 'hyperband', '--strategy-options', 'eta=9');
  await refused(/"tpe": unknown option "x"/, '--strategy', 'asha', '--strategy-options', 'inner=tpe,inner.x=1');
});

test('of several objectives, `best` says how much its front covers', async () => {
  const dir = join(folder, 'two');
  const options = ['--strategy', 'scalarized', '--strategy-options', 'inner=asha,inner.eta=2,weight.params=0.3'];
  await json('search', ...SMALL, ...options, '--objective', 'accuracy,params', '--trials', '10', '--out', dir);
  const { best, coverage } = await json('best', dir);
  assert.ok(best.length >= 1 && coverage.hypervolume >= 0 && coverage.hypervolume <= 1);
  assert.deepEqual((await json('status', dir)).coverage, coverage);
  assert.match(
    (await netsmith('best', dir)).out,
    /Hypervolume [01]\.\d{3} of the box .* \(the worst values found\): accuracy/,
  );
});
