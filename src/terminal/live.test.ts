import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import stringWidth from 'string-width';
import type { Fidelity } from '../common/fidelity.ts';
import { COST_METRICS, METRICS } from '../common/metrics.ts';
import { searchSpaceOf } from '../space/index.ts';
import { mlp } from '../space/spaces/index.ts';
import type { StudyEvent } from '../study/events.ts';
import type { Contender } from '../study/ranking.ts';
import { checkSettings } from '../study/spec.ts';
import type { Trial } from '../study/store/store.ts';
import { createLiveView, type Shown } from './live.ts';
import { withPlan } from './plan.ts';
import { bar, clip, roughly } from './screen.ts';
import { fakeTerminal } from './testing/terminal.ts';
import { createTrainingsView } from './trainings.ts';

const space = searchSpaceOf(mlp.create({ kind: 'classification', input: [64], outputs: 10 }));
const ARCH = 'depth=1, layer/0/width=32, normalisation=none, activation=tanh, dropout=0.3';
const full: Fidelity = { epochs: 9, data: 1, resolution: 1, width: 1 };

function shown(fidelities: Shown['problem']['fidelities'] = [full]): Shown {
  return {
    settings: checkSettings({ epochs: 9, space: 'mlp' }, (name) => name),
    space,
    problem: { objectives: [{ metric: 'accuracy', ...METRICS.accuracy }], fidelities },
    dataset: { search: { info: { kind: 'classification' } as Shown['dataset']['search']['info'] } },
  };
}

function trialOf(trial: number, { epochs = 0, ...more }: Partial<Trial> & { epochs?: number } = {}): Trial {
  return {
    trial,
    purpose: 'search',
    state: 'running',
    architecture: space.parse(ARCH),
    fidelity: 0,
    start: { kind: 'fresh' },
    origin: 'asked',
    metrics: {},
    costs: { params: 2410 },
    curve: Array.from({ length: epochs }, (_, i) => ({
      step: i + 1,
      metrics: { accuracy: 0.5 + i / 100 },
      seconds: 1,
    })),
    seconds: 0,
    attempts: 1,
    fence: 1,
    ...more,
  };
}

const ended = (trial: number, more: Parameters<typeof trialOf>[1] = {}): StudyEvent => ({
  kind: 'ended',
  trial: trialOf(trial, { state: 'complete', metrics: { accuracy: 0.75 }, seconds: 61, ...more }),
});

/** A view of a search of 4 trials, on a clock that the test moves. */
function viewAt(t: TestContext, columns: number, setup = shown()) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const terminal = fakeTerminal(columns);
  let ms = 0;
  const output = { note: assert.fail, quiet: false, screen: terminal };
  const view = createLiveView(setup, undefined, 0, output, () => ms);
  const after = (seconds: number, ...events: readonly StudyEvent[]) => {
    ms += seconds * 1000;
    for (const event of events) view.onEvent(event);
    t.mock.timers.tick(1000);
  };
  after(0, { kind: 'phase', phase: 'search', trials: 4 });
  return { view, terminal, after };
}

const reported = (trial: Trial): StudyEvent => ({
  kind: 'reported',
  trial,
  report: trial.curve.at(-1) as Trial['curve'][0],
});

test('in a terminal of 120 columns: what has ended stays, each trial has a bar with its epochs, the total has the time left', (t) => {
  const { view, terminal, after } = viewAt(t, 120);
  after(0, { kind: 'started', trial: trialOf(0) }, { kind: 'started', trial: trialOf(1) });
  after(60, ended(0), { kind: 'started', trial: trialOf(2) }, reported(trialOf(1, { epochs: 6 })));
  assert.deepEqual(terminal.shown(), [
    '[1 of 4] trial 0: accuracy 75.00\u00a0%, 2,410 parameters, 1 min 1 s; depth=1, layer/0/width=32, normalisation=none, activati',
    'on=tanh, dropout=0.3',
    'digits, mlp, random',
    'trials   █████████░░░░░░░░░░░░░  1 of 4, about 1 min 20 s left (1 min 0 s so far)',
    'trial 1  ██████████████░░░░░░░░  epoch 6 of 9  accuracy 55.00\u00a0%  depth=1, layer/0/width=32, normalisation=none, activa…',
    'trial 2  ░░░░░░░░░░░░░░░░░░░░░░  epoch 0 of 9  depth=1, layer/0/width=32, normalisation=none, activation=tanh, dropout…',
  ]);
  after(60, ended(1), ended(2));
  view.say('Stopping.');
  view.close();
  const lines = terminal.shown().join('\n');
  assert.match(lines, /^\[1 of 4\] trial 0:.*\n\[2 of 4\] trial 1:.*\n\[3 of 4\] trial 2:.*\nStopping\.$/s);
});

for (const columns of [40, 60, 120])
  test(`at ${columns} columns no line of the picture is longer than the terminal, with wide characters too`, (t) => {
    const setup = shown();
    const wide: Shown = { ...setup, settings: { ...setup.settings, data: '猫と犬の写真'.repeat(12) } };
    const { terminal, after } = viewAt(t, columns, wide);
    after(5, ...[0, 1, 2].map((trial) => reported(trialOf(trial, { epochs: 3 }))));
    const lines = terminal.shown();
    assert.equal(lines.length, 5, lines.join('\n'));
    for (const line of lines) assert.ok(stringWidth(line) < columns, line);
    for (const line of lines.slice(2)) assert.match(line, /^trial \d {2}█+░+ {2}epoch 3/);
  });

test('a terminal that is made narrower, and wider again, shows one picture', (t) => {
  const { terminal, after } = viewAt(t, 120);
  after(1, ended(0), reported(trialOf(1, { epochs: 3 })));
  for (const columns of [60, 100]) {
    terminal.resize(columns);
    after(1);
    const lines = terminal.shown();
    assert.equal(lines.filter((line) => line.startsWith('trials ')).length, 1, lines.join('\n'));
    assert.equal(lines.filter((line) => line.startsWith('trial 1')).length, 1, lines.join('\n'));
    assert.equal(lines.filter((line) => line.startsWith('[1 of 4]')).length, 1, lines.join('\n'));
  }
});

test('several objectives show the front, and its hypervolume where the reference point is stated', (t) => {
  const setup = shown();
  const { objectives } = setup.problem;
  const params = { metric: 'params', direction: 'minimize', unit: 'parameters' } as const;
  const reference = { accuracy: 0.5, params: 3000 };
  const several: Shown = { ...setup, problem: { ...setup.problem, objectives: [objectives[0], params], reference } };
  const contender = (trial: number, accuracy: number, size: number): Contender => {
    const { architecture } = trialOf(trial);
    const costs = { params: size };
    return { trial, architecture, costs, metrics: { accuracy, ...costs }, results: [], confirmations: 0 };
  };
  const { terminal, after } = viewAt(t, 160, several);
  after(1, { kind: 'best', best: [contender(1, 0.9, 2000), contender(0, 0.7, 1000)] });
  // A box from 50 to 90 % and from 3,000 to 1,000: 0.5 wide in parameters and whole in accuracy, then the rest, half as high.
  assert.match(
    terminal.shown().join('\n'),
    /^front +2 networks, accuracy 70\.00\u00a0% to 90\.00\u00a0%, params 2,000 to 1,000, hypervolume 0\.750$/m,
  );
});

test('the line of a trial has all objectives, costs among them', (t) => {
  const setup = shown();
  const others = ['flops', 'loss'] as const;
  const objectives: Shown['problem']['objectives'] = [
    setup.problem.objectives[0],
    ...others.map((metric) => ({ metric, ...{ ...METRICS, ...COST_METRICS }[metric] })),
  ];
  const { terminal, after } = viewAt(t, 160, { ...setup, problem: { ...setup.problem, objectives } });
  after(1, ended(0, { metrics: { accuracy: 0.75, loss: 0.5 }, costs: { params: 2410, flops: 7e6 } }));
  assert.match(terminal.shown().join('\n'), /accuracy 75\.00\u00a0%, flops 7\.00 M, loss 0\.5, 2,410 parameters/);
});

test('a supernet that ended before its last epoch says why', () => {
  const lines: string[] = [];
  const setup = shown();
  const short: Shown = { ...setup, settings: { ...setup.settings, supernetEpochs: 9 } };
  const view = createLiveView(short, undefined, 0, {
    note: (line) => lines.push(line),
    ...{ quiet: true, screen: undefined },
  });
  view.onEvent(ended(0, { purpose: 'supernet', epochs: 9 }));
  view.onEvent(ended(0, { purpose: 'supernet', epochs: 7 }));
  assert.equal(lines[0], 'supernet: trained, 1 min 1 s');
  assert.match(lines[1] ?? '', /^supernet: trained, 1 min 1 s, stopped after 7 of 9 epochs by eigenvalueStop/);
});

test('trials of rising fidelity show the epochs of their own fidelity, in the picture and in their lines', (t) => {
  const setup = shown([{ ...full, epochs: 3 }, full]);
  const { terminal, after } = viewAt(t, 120, setup);
  after(1, reported(trialOf(0, { epochs: 2 })), reported(trialOf(1, { epochs: 4, fidelity: 1 })));
  assert.match(terminal.shown().join('\n'), /trial 0 .* epoch 2 of 3 .*\ntrial 1 .* epoch 4 of 9/);

  const lines: string[] = [];
  const plain = createLiveView(setup, undefined, 0, {
    note: (line) => lines.push(line),
    quiet: false,
    screen: undefined,
  });
  for (const event of [ended(0), ended(1, { fidelity: 1 }), ended(2, { fidelity: 1, epochs: 4, state: 'pruned' })])
    plain.onEvent(event);
  plain.onEvent({ kind: 'released', trial: trialOf(3), reason: 'time is up' });
  assert.match(lines[0] ?? '', /^\[1\] trial 0: 3 epochs, accuracy 75\.00/);
  assert.match(lines[1] ?? '', /^\[2\] trial 1: 9 epochs, accuracy/);
  assert.match(lines[2] ?? '', /^\[3\] trial 2: pruned after 4 of 9 epochs, accuracy/);
  assert.equal(lines[3], 'trial 3 paused: time is up');
});

test('final trainings: a bar for each in a terminal, a line now and then without one', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const terminal = fakeTerminal(60);
  let ms = 0;
  const output = { note: assert.fail, quiet: false, screen: terminal };
  const view = createTrainingsView('final trainings', 3, output, () => ms);
  view.onProgress('trial 8, seed 0', 0, 10);
  view.onProgress('baseline mlp, seed 0', 0, 10);
  ms += 30_000;
  view.ended('baseline mlp, seed 0', 'baseline mlp, seed 0: test accuracy 98 %');
  view.onProgress('trial 8, seed 0', 5, 10, 'loss 0.1234');
  t.mock.timers.tick(1000);
  assert.deepEqual(terminal.shown(), [
    'baseline mlp, seed 0: test accuracy 98 %',
    'final trainings',
    'total            ███░░░░  1 of 3, about 30 s left (30.0 s …',
    'trial 8, seed 0  ███░░░░  epoch 5 of 10  loss 0.1234',
  ]);
  view.close();
  assert.deepEqual(terminal.shown(), ['baseline mlp, seed 0: test accuracy 98 %']);

  const lines: string[] = [];
  const note = (line: string) => void lines.push(line);
  const plain = createTrainingsView('final trainings', 1, { note, quiet: false, screen: undefined }, () => ms);
  plain.onProgress('trial 8, seed 0', 0, 10);
  for (let epoch = 1; epoch <= 10; epoch++) {
    ms += 12_000;
    plain.onProgress('trial 8, seed 0', epoch, 10);
  }
  assert.deepEqual(lines, [
    'trial 8, seed 0: epoch 3 of 10, about 1 min 20 s left',
    'trial 8, seed 0: epoch 6 of 10, about 48 s left',
    'trial 8, seed 0: epoch 9 of 10, about 12 s left',
  ]);
});

test('a trial with a time limit has a number of epochs once the first is done', (t) => {
  const setup = shown();
  const timed: Shown = { ...setup, settings: { ...setup.settings, trialTime: '4s' } };
  const { terminal, after } = viewAt(t, 120, timed);
  after(1, { kind: 'started', trial: trialOf(0) });
  assert.match(terminal.shown().join('\n'), /trial 0 {2}░+ {2}epoch 0 {2}depth=1/);
  after(1, reported(trialOf(0, { epochs: 1 })));
  assert.match(terminal.shown().join('\n'), /trial 0 {2}█+░+ {2}epoch 1 of 4 {2}accuracy/);
});

test('a run with a time plan: the search has its own time, and the last line says where the plan is', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const terminal = fakeTerminal(110);
  let ms = 2000;
  const time = { seconds: 60, searchUntil: 20, baselineSeconds: 4, closingSeconds: 2, mostEpochs: 9 };
  const plain = { note: assert.fail, quiet: false, screen: terminal, json: false, result: assert.fail };
  const output = withPlan(plain, time, 'search', () => ms / 1000);
  const view = createLiveView(shown(), time.searchUntil - ms / 1000, 0, output, () => ms);
  view.onEvent({ kind: 'phase', phase: 'search', trials: undefined });
  ms = 14_000;
  t.mock.timers.tick(1000);
  assert.deepEqual(terminal.shown(), [
    'digits, mlp, random',
    'trials  ████████████░░░░░░░  0, about 6 s left (12.0 s so far)',
    'run     ████░░░░░░░░░░░░░░░  14.0 s of 1 min 0 s; search until 20.0 s, final training until 54.0 s',
  ]);
  view.close();
  const final = withPlan(plain, time, 'final training', () => ms / 1000);
  const trainings = createTrainingsView('final training', 1, final, () => ms);
  trainings.onProgress('trial 3, seed 0', 0, 10);
  ms = 37_000;
  trainings.onProgress('trial 3, seed 0', 5, 10);
  t.mock.timers.tick(1000);
  assert.match(terminal.shown().at(-1) ?? '', /^run {14}█+░+ {2}37\.0 s of 1 min 0 s; final training until 54\.0 s$/);
  trainings.close();
});

test('a name or a reason from outside cannot steer the terminal', (t) => {
  const setup = shown();
  const hostile: Shown = { ...setup, settings: { ...setup.settings, data: 'a\u001b[2Jb' } };
  const { terminal, after } = viewAt(t, 120, hostile);
  after(1, ended(0, { state: 'failed', reason: 'no\u001b]0;title\u0007' }));
  assert.match(terminal.shown().join(''), /failed: no\\u001b\]0;title\\u0007, .*a\\u001b\[2Jb, mlp/);
});

test('bars, cut texts and rough times', () => {
  assert.deepEqual(
    [bar(0, 4), bar(0.5, 4), bar(0.999, 4), bar(1, 4), bar(Number.NaN, 2)],
    ['░░░░', '██░░', '███░', '████', '░░'],
  );
  assert.deepEqual(
    [clip('abcdef', 6), clip('abcdefg', 6), clip('猫猫猫', 5), clip('👩‍👩‍👧x', 2)],
    ['abcdef', 'abcde…', '猫猫…', '…'],
  );
  assert.deepEqual([0.2, 59.6, 127, 3722].map(roughly), ['1 s', '1 min 0 s', '2 min 10 s', '1 h 2 min']);
});
