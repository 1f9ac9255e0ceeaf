import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Json } from '../common/json.ts';
import { architectureKey } from '../space/tree/architecture.ts';
import { createStrategy } from '../strategy/index.ts';
import { randomSearch } from '../strategy/random.ts';
import type { Problem, Strategy } from '../strategy/strategy.ts';
import { problemOf, tinySpace } from '../strategy/testing/problems.ts';
import type { StudyEvent } from './events.ts';
import { runStudy, type StudyRun } from './run.ts';
import { memoryStore } from './store/memory.ts';
import type { Store, Trial } from './store/store.ts';
import { type FakeOptions, type Fate, fakeBench } from './testing/fake.ts';
import { essence, STUDIES, type TestStudy, THREE_EPOCHS } from './testing/studies.ts';
import { inProcessPool } from './worker/in-process.ts';

const { random } = STUDIES;

function newStore({ strategy, problem }: TestStudy): Store {
  return memoryStore({ name: 'test', settings: null, state: strategy.init(problem) });
}

/** Runs a study in this process; a clock that stands still unless the test moves it. */
function run(
  store: Store,
  study: TestStudy,
  options: Partial<StudyRun> & Pick<StudyRun, 'budget'>,
  fake?: FakeOptions,
) {
  const workers = inProcessPool(fakeBench(study.problem.space, fake), store.artifacts);
  return runStudy({ store, ...study, workers, now: () => 0, ...options });
}

const states = async (store: Store) => (await store.trials('search')).map(({ state }) => state);

suite('budgets', () => {
  test('trials: exactly the budget; a second call has nothing to do; a larger budget continues', async () => {
    const store = newStore(random);
    const end = await run(store, random, { budget: { trials: 5 } });
    assert.deepEqual([end.reason, end.trials], ['trials', 5]);
    assert.deepEqual(await states(store), Array(5).fill('complete'));
    const before = await essence(store);
    await run(store, random, { budget: { trials: 5 } });
    assert.deepEqual(await essence(store), before);
    assert.equal((await run(store, random, { budget: { trials: 7 } })).trials, 7);
  });

  test('a strategy continues from the object that it returned, frozen, which equals the stored one', async () => {
    const study: TestStudy = STUDIES['aging-evolution'];
    const { strategy, problem } = study;
    const store = newStore(study);
    let last: Json | undefined;
    let calls = 0;
    const given = (state: Json) => {
      assert.ok(Object.isFrozen(state));
      if (last !== undefined) assert.equal(state, last);
      calls++;
    };
    const watched: Strategy = {
      ...strategy,
      async ask(asked, state, first, count) {
        given(state);
        const answer = await strategy.ask(asked, state, first, count);
        [last] = answer;
        return answer;
      },
      async tell(told, state, outcomes) {
        given(state);
        last = await strategy.tell(told, state, outcomes);
        return last;
      },
    };
    await run(store, { strategy: watched, problem }, { budget: { trials: 12 } });
    assert.equal(calls, 24);
    assert.deepEqual((await store.strategyState()).state, JSON.parse(JSON.stringify(last)));
  });

  test('in two goes or in one: the same trials, for every strategy', async () => {
    for (const study of Object.values(STUDIES)) {
      const [once, twice] = [newStore(study), newStore(study)];
      await run(once, study, { budget: { trials: 24 }, confirm: { top: 3 } });
      await run(twice, study, { budget: { trials: 11 } });
      await run(twice, study, { budget: { trials: 24 }, confirm: { top: 3 } });
      const [a, b] = [await essence(once), await essence(twice)];
      const noCheckpoints = (trials: readonly object[]) => trials.map((trial) => ({ ...trial, checkpoint: undefined }));
      assert.deepEqual(noCheckpoints(b.trials), noCheckpoints(a.trials)); // More confirmation, more checkpoints kept.
      assert.deepEqual(b.strategy, a.strategy);
    }
  });

  test('seconds: running trials wait, and the clock counts over sessions', async () => {
    const store = newStore(random);
    let ms = 0;
    const ticking = { onEpoch: () => (ms += 1000) };
    const options = { now: () => ms };
    const first = await run(store, random, { budget: { seconds: 10 }, ...options }, ticking);
    assert.equal(first.reason, 'time');
    assert.deepEqual(await states(store), ['complete', 'complete', 'complete', 'waiting']);
    assert.deepEqual(await store.clock(), { searchSeconds: 10, workerSeconds: 10 });
    ms = 500_000;
    await run(store, random, { budget: { seconds: 14 }, ...options }, ticking);
    assert.deepEqual(await states(store), [...Array(4).fill('complete'), 'waiting']);
    assert.deepEqual(await store.clock(), { searchSeconds: 14, workerSeconds: 14 });
  });

  test('seconds: the first trial may end though time is up', async () => {
    const store = newStore(random);
    let ms = 0;
    const end = await run(store, random, { budget: { seconds: 1 }, now: () => ms }, { onEpoch: () => (ms += 1000) });
    assert.deepEqual([end.reason, await states(store)], ['time', ['complete']]);
  });

  test('target: ends with the first trial that reaches it', async () => {
    const store = newStore(random);
    const end = await run(store, random, { budget: { trials: 500, targets: [{ metric: 'accuracy', value: 0.75 }] } });
    assert.equal(end.reason, 'target');
    const accuracies = (await store.trials()).map(({ metrics }) => metrics.accuracy ?? 0);
    assert.ok((accuracies.at(-1) ?? 0) >= 0.75);
    assert.ok(accuracies.slice(0, -1).every((accuracy) => accuracy < 0.75));
  });

  test('a space that is searched through is exhausted', async () => {
    const study = { strategy: createStrategy('exhaustive'), problem: problemOf(tinySpace) };
    const store = newStore(study);
    const end = await run(store, study, { budget: {} });
    assert.deepEqual([end.reason, end.trials], ['exhausted', 18]);
  });

  test('a budget of nothing is refused', async () => {
    const budgets = [{ trials: 0 }, { trials: 1.5 }, { seconds: 0 }, { targets: [{ metric: 'beauty', value: 1 }] }];
    for (const budget of budgets)
      await assert.rejects(run(newStore(random), random, { budget }), { name: 'UserError', message: /^budget: / });
  });
});

suite('failures', () => {
  /** The fate of the architectures of these trials. */
  const fates = async (byTrial: Readonly<Record<number, Fate>>): Promise<NonNullable<FakeOptions['fate']>> => {
    const [, proposals] = await random.strategy.ask(random.problem, null, 0, 10);
    const table = new Map(
      Object.entries(byTrial).map(([i, fate]) => [architectureKey(proposals[Number(i)]?.architecture ?? {}), fate]),
    );
    return (architecture) => table.get(architectureKey(architecture)) ?? 'trains';
  };

  test('a failed trial has its reason and does not end the study', async () => {
    const store = newStore(random);
    const fate = await fates({ 1: 'fails', 2: 'throws', 3: 'not finite' });
    await run(store, random, { budget: { trials: 5 }, retries: 3 }, { fate });
    assert.deepEqual(await states(store), ['complete', 'failed', 'failed', 'failed', 'complete']);
    const reasons = (await store.trials()).map(({ reason }) => reason);
    assert.deepEqual(reasons.slice(1, 4), ['loss is not finite', 'a bug', 'the estimate gave no finite accuracy']);
    assert.deepEqual(
      (await store.trials()).map(({ attempts }) => attempts),
      [1, 1, 1, 1, 1],
    );
  });

  test('an architecture whose costs cannot be computed fails', async () => {
    const costs = () => {
      throw new Error('the image has vanished');
    };
    const study = { ...random, problem: { ...random.problem, costs } };
    const store = newStore(study);
    const end = await run(store, study, { budget: { trials: 2 } });
    assert.deepEqual(end.best, []);
    assert.equal((await store.trials())[1]?.reason, 'the image has vanished');
  });

  test('samples that cannot be read stop the study: the trial waits, and makes what it would have made', async () => {
    const [once, store] = [newStore(random), newStore(random)];
    await run(once, random, { budget: { trials: 4 } });
    const fate = await fates({ 2: 'no data' });
    await assert.rejects(run(store, random, { budget: { trials: 4 } }, { fate }), {
      name: 'DataError',
      message: 'image "a.png": is cut off',
    });
    assert.deepEqual(await states(store), ['complete', 'complete', 'waiting']);
    await run(store, random, { budget: { trials: 4 } });
    assert.deepEqual(await essence(store), await essence(once));
  });

  test('a full disk stops the study, whatever was to be written; it resumes as if nothing had happened', async () => {
    const full = () => Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    for (const study of [random, STUDIES.asha, STUDIES['aging-evolution']]) {
      const once = newStore(study);
      await run(once, study, { budget: { trials: 10 }, confirm: { top: 2 } });
      for (const method of ['propose', 'begin', 'report', 'finish', 'discard', 'recordClock', 'put'] as const) {
        const store = newStore(study);
        // Fails before the write or after it, from some call on, releases included, until there is space again.
        for (const [from, when] of [
          [3, 'before'],
          [2, 'after'],
        ] as const) {
          let calls = 0;
          let isFull = false;
          const failing =
            <A extends unknown[], R>(body: (...args: A) => Promise<R>, isChosen: boolean) =>
            async (...args: A): Promise<R> => {
              if (isChosen && ++calls === from) {
                isFull = true;
                if (when === 'after') await body(...args);
              }
              if (isFull) throw full();
              return body(...args);
            };
          const broken: Store = {
            ...store,
            artifacts: { ...store.artifacts, put: failing(store.artifacts.put, method === 'put') },
            release: failing(store.release, false),
          };
          for (const name of ['propose', 'begin', 'report', 'finish', 'discard', 'recordClock'] as const)
            Object.assign(broken, { [name]: failing(store[name] as () => Promise<void>, name === method) });
          await assert.rejects(run(broken, study, { budget: { trials: 10 }, confirm: { top: 2 } }), {
            name: 'StudyStopped',
            message: /no space/,
          });
          assert.ok((await store.trials()).every(({ state }) => state !== 'failed'));
        }
        await run(store, study, { budget: { trials: 10 }, confirm: { top: 2 } });
        assert.deepEqual(await essence(store), await essence(once), method);
      }
    }
  });

  test('a trial whose checkpoint is lost starts over, with the same result', async () => {
    const [once, store] = [newStore(random), newStore(random)];
    await run(once, random, { budget: { trials: 2 } });
    const control = new AbortController();
    const onEvent = ({ kind }: StudyEvent) => kind === 'reported' && control.abort();
    await run(store, random, { budget: { trials: 2 }, signal: control.signal, onEvent });
    const lost: Store = {
      ...store,
      artifacts: { ...store.artifacts, get: () => Promise.reject(new Error('artifact 1 is damaged')) },
    };
    const notes: string[] = [];
    await run(lost, random, {
      budget: { trials: 2 },
      onEvent: (event) => event.kind === 'note' && notes.push(`${event.trial.trial}: ${event.text}`),
    });
    assert.deepEqual(notes, ['0: artifact 1 is damaged']);
    assert.deepEqual(await essence(store), await essence(once));
  });

  test('failed trials that are retried end like any other, for every strategy', async () => {
    for (const study of Object.values(STUDIES)) {
      const store = newStore(study);
      let count = 0;
      const fate = () => (count++ % 3 === 1 ? ('fails' as const) : ('trains' as const));
      await run(store, study, { budget: { trials: 12 }, confirm: { top: 2 } }, { fate });
      const failed = (await store.trials()).filter(({ state }) => state === 'failed');
      assert.ok(failed.length > 2);
      await store.retry(failed);
      const { trials } = await run(store, study, { budget: { trials: 16 }, confirm: { top: 2 } });
      assert.equal(trials, 16);
      assert.deepEqual(await states(store), Array(16).fill('complete'));
      // A confirmation of what is no longer among the first waits.
      assert.ok((await store.trials('confirm')).every(({ state }) => state !== 'failed'));
    }
  });

  test('what a strategy throws ends the run; the study can go on', async () => {
    const store = newStore(random);
    const broken = { ...random.strategy, ask: () => Promise.reject(new Error('out of ideas')) };
    await assert.rejects(run(store, { ...random, strategy: broken }, { budget: { trials: 2 } }), /out of ideas/);
    assert.equal((await run(store, random, { budget: { trials: 2 } })).trials, 2);
  });
});

suite('stopping rules', () => {
  const stopping: StudyRun['stopping'] = ({ trial }) =>
    trial % 3 === 0 ? 'continue' : trial % 3 === 1 ? 'stop' : 'pause';

  test('answer the reports', async () => {
    const store = newStore(random);
    await run(store, random, { budget: { trials: 3 }, stopping });
    assert.deepEqual(await states(store), ['complete', 'pruned', 'paused']);
    const curves = (await store.trials()).map(({ curve }) => curve.length);
    assert.deepEqual(curves, [3, 1, 1]);
    const [, pruned, paused] = await store.trials();
    assert.deepEqual(pruned?.metrics, pruned?.curve[0]?.metrics);
    assert.deepEqual([pruned?.checkpoint === undefined, paused?.checkpoint === undefined], [true, false]);
  });

  test('an answer that was due when the study was killed is given at the next start', async () => {
    const [once, killed] = [newStore(random), newStore(random)];
    await run(once, random, { budget: { trials: 3 }, stopping });
    const dying: Store = {
      ...killed,
      async report(key, ...rest) {
        const trial = await killed.report(key, ...rest);
        if (key.trial > 0) throw new Error('power cut');
        return trial;
      },
    };
    for (let i = 0; i < 2; i++)
      await assert.rejects(run(dying, random, { budget: { trials: 3 }, stopping }), /power cut/);
    await run(killed, random, { budget: { trials: 3 }, stopping });
    assert.deepEqual(await essence(killed), await essence(once));
  });
});

suite('trials that continue others', () => {
  test('train only what is missing, on the seed of the first', async () => {
    const { halving } = STUDIES;
    const store = newStore(halving);
    let epochs = 0;
    await run(store, halving, { budget: { trials: 7 } }, { onEpoch: () => epochs++ });
    const trials = await store.trials();
    assert.deepEqual(
      trials.map(({ fidelity }) => fidelity),
      [0, 0, 0, 0, 1, 1, 2],
    );
    assert.equal(epochs, 4 * 1 + 2 * 2 + 1 * 6);
    assert.ok(trials.every(({ state }) => state === 'complete')); // The fake estimator checks its history.
  });
});

suite('checkpoints of trials that may be continued', () => {
  const of = (epochs: number) => ({ ...THREE_EPOCHS, epochs });
  const fidelities: Problem['fidelities'] = [of(1), of(2), of(4), of(8), of(16)];
  const study = { strategy: createStrategy('asha', { eta: 2 }), problem: { ...STUDIES.asha.problem, fidelities } };

  test('are kept as long as they may be, through many rungs, and no others but the best', async () => {
    const store = newStore(study);
    let [epochs, last] = [0, 0];
    const checked: Promise<void>[] = [];
    const check = async () => {
      const { state } = await store.strategyState();
      const may = new Set(study.strategy.continuable?.(state) ?? []);
      const ended = (await store.trials('search')).filter((trial) => trial.state === 'complete');
      const kept = ended.filter(({ checkpoint }) => checkpoint !== undefined).map(({ trial }) => trial);
      for (const trial of may) assert.ok(kept.includes(trial), `trial ${trial} may be continued`);
      last = kept.filter((trial) => !may.has(trial)).length;
      assert.ok(last <= 2, `${last} checkpoints too many`); // The best, and the source of the trial that runs.
    };
    const onEvent = ({ kind }: StudyEvent) => kind === 'started' && checked.push(check());
    await run(store, study, { budget: { trials: 250 }, onEvent }, { onEpoch: () => epochs++ });
    await Promise.all(checked);
    const trials = await store.trials();
    const at = (level: number) => trials.filter(({ fidelity }) => fidelity === level).length;
    assert.ok(at(4) > 2);
    assert.equal(epochs, at(0) + at(1) + 2 * at(2) + 4 * at(3) + 8 * at(4));
  });
});

suite('confirmation', () => {
  test('the first few are trained again on other seeds, and the highest mean wins', async () => {
    const store = newStore(random);
    const events: StudyEvent[] = [];
    const onEvent = (event: StudyEvent) => events.push(event);
    const end = await run(store, random, { budget: { trials: 12 }, confirm: { top: 3, repeats: 2 }, onEvent });
    const confirmations = await store.trials('confirm');
    assert.equal(confirmations.length, 6);
    assert.equal(new Set(confirmations.map(({ repeats }) => repeats)).size, 3);
    const means = Map.groupBy(await store.trials(), ({ architecture }) => architectureKey(architecture));
    const mean = (trials: readonly Trial[]) =>
      trials.reduce((sum, t) => sum + (t.metrics.accuracy ?? 0), 0) / trials.length;
    const confirmed = [...means.values()].filter((trials) => trials.some(({ purpose }) => purpose === 'confirm'));
    const best = end.best[0];
    assert.ok(best);
    assert.equal(best.results.length, 3);
    assert.ok(Math.abs((best.metrics.accuracy ?? 0) - Math.max(...confirmed.map(mean))) < 1e-12);
    assert.equal(new Set(best.results.map(({ metrics }) => metrics.accuracy)).size, 3);
    assert.deepEqual(
      events.filter(({ kind }) => kind === 'phase' || kind === 'finished').map(({ kind }) => kind),
      ['phase', 'phase', 'finished'],
    );
    await store.artifacts.get((await store.trial({ purpose: 'search', trial: best.trial }))?.checkpoint ?? 'none');
  });

  test('is not repeated, and follows a larger budget', async () => {
    const store = newStore(random);
    await run(store, random, { budget: { trials: 4 }, confirm: { top: 2 } });
    await run(store, random, { budget: { trials: 4 }, confirm: { top: 2 } });
    assert.equal((await store.trials('confirm')).length, 2);
    await run(store, random, { budget: { trials: 40 }, confirm: { top: 2 } });
    const confirmations = await store.trials('confirm');
    assert.ok(confirmations.length > 2 && confirmations.length <= 4);
    assert.deepEqual(
      confirmations.map(({ trial }) => trial),
      confirmations.map((_, i) => i),
    );
  });

  test('an architecture that came twice is confirmed once', async () => {
    const study = { strategy: randomSearch(), problem: problemOf(tinySpace, { fidelities: [THREE_EPOCHS] }) };
    const store = newStore(study);
    await run(store, study, { budget: { trials: 60 }, confirm: { top: 5 } });
    const keys = (await store.trials('confirm')).map(({ architecture }) => architectureKey(architecture));
    assert.equal(new Set(keys).size, 5);
    assert.equal(keys.length, 5);
  });
});

suite('several objectives', () => {
  test('the best are the Pareto front', async () => {
    const params = { metric: 'params', direction: 'minimize', unit: 'parameters' } as const;
    const study = {
      ...random,
      problem: { ...random.problem, objectives: [...random.problem.objectives, params] as const },
    };
    const store = newStore(study);
    const { best } = await run(store, study, { budget: { trials: 30 }, confirm: { top: 2 } });
    assert.ok(best.length > 1);
    const byParams = [...best].sort((a, b) => (a.metrics.params ?? 0) - (b.metrics.params ?? 0));
    const accuracies = byParams.map(({ metrics }) => metrics.accuracy ?? 0);
    assert.deepEqual(
      accuracies,
      [...accuracies].sort((a, b) => a - b),
    );
  });
});

suite('interruption', () => {
  test('a running trial waits from its next report on; the next call makes the same study', async () => {
    for (const study of Object.values(STUDIES)) {
      const [once, interrupted] = [newStore(study), newStore(study)];
      await run(once, study, { budget: { trials: 14 }, confirm: { top: 2 } });
      let reason = '';
      for (let i = 0; reason !== 'trials'; i++) {
        assert.ok(i < 50);
        const control = new AbortController();
        let reports = 0;
        const onEvent = ({ kind }: StudyEvent) => kind === 'reported' && ++reports === 5 && control.abort();
        const end = await run(interrupted, study, {
          budget: { trials: 14 },
          confirm: { top: 2 },
          signal: control.signal,
          onEvent,
        });
        reason = end.reason;
        if (reason === 'interrupted') assert.ok((await interrupted.trials()).every(({ state }) => state !== 'running'));
      }
      assert.deepEqual(await essence(interrupted), await essence(once));
    }
  });

  test('a trial that does not report within the grace is given up, and waits', async () => {
    const store = newStore(random);
    const control = new AbortController();
    const onEvent = ({ kind }: StudyEvent) => kind === 'started' && control.abort();
    const options = { budget: { trials: 3 }, signal: control.signal, graceSeconds: 0.02, onEvent };
    const end = await run(store, random, options, { fate: () => 'hangs' });
    assert.deepEqual([end.reason, await states(store)], ['interrupted', ['waiting']]);
  });

  test('a signal that has come already starts nothing', async () => {
    const store = newStore(random);
    const end = await run(store, random, { budget: { trials: 3 }, signal: AbortSignal.abort() });
    assert.deepEqual([end.reason, await states(store)], ['interrupted', []]);
  });
});

test('events tell the whole story, in order', async () => {
  const told: string[] = [];
  const onEvent = (event: StudyEvent) =>
    told.push('trial' in event ? `${event.kind} ${event.trial.trial}` : event.kind);
  await run(newStore(random), random, { budget: { trials: 1 }, onEvent });
  const reports = Array(3).fill('reported 0');
  assert.deepEqual(told, ['phase', 'started 0', ...reports, 'ended 0', 'best', 'finished']);
});
