import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Samples } from '../../data/dataset.ts';
import type { Engine } from '../../engine/engine.ts';
import { type Checkpoint, decodeCheckpoint, type EpochRecord, encodeCheckpoint } from '../checkpoint.ts';
import { TrainingFailure } from '../failure.ts';
import { type Trainable, trainUntil } from '../trainable.ts';
import { referenceEngine } from './reference-engine.ts';

/** How the suite opens a Trainable. */
export interface Opening {
  readonly engine: Engine;
  readonly seed: string;
  readonly signal?: AbortSignal;
  readonly checkpoint?: Checkpoint;
}

/** What the suite works on. An epoch should take well under a second. */
export interface TrainableSetup {
  open(opening: Opening): Promise<Trainable>;
  readonly valid: Samples;
}

const EPOCHS = 3;

/** Everything in a history but the time that it took. */
export const timeless = (history: readonly EpochRecord[]) => history.map(({ seconds, spent, ...record }) => record);

/** What every Trainable must do. */
export function trainableConformance(name: string, { open, valid }: TrainableSetup): void {
  const begin = (change: Partial<Opening> = {}) => open({ engine: referenceEngine(), seed: 'mine', ...change });
  const wholeOf = async (opening: Partial<Opening> = {}) => {
    const training = await begin(opening);
    await trainUntil(training, EPOCHS);
    const { tensors, steps } = await training.checkpoint();
    return { history: timeless(training.history), tensors, steps };
  };
  let once: ReturnType<typeof wholeOf> | undefined;
  /** An undisturbed training, which the others must equal. It runs once. */
  const whole = () => {
    once ??= wholeOf();
    return once;
  };

  suite(`trainable conformance: ${name}`, () => {
    test('its history has a record for each epoch, in order, of finite numbers', async () => {
      const training = await begin();
      assert.deepEqual(training.history, []);
      const [first, second] = [await training.epoch(), await training.epoch()];
      assert.deepEqual(training.history, [first, second]);
      assert.deepEqual([first.epoch, second.epoch], [1, 2]);
      const numbers = [first.loss, first.seconds, ...Object.values(first.valid)];
      assert.ok(numbers.length > 2 && numbers.every(Number.isFinite));
      assert.notEqual(first.loss, second.loss);
    });

    test('the same request gives the same numbers, another seed others', async () => {
      const [one, two, other] = [await whole(), await wholeOf(), await wholeOf({ seed: 'another' })];
      assert.deepEqual(two, one);
      assert.notDeepEqual(other.tensors, one.tensors);
    });

    for (let epochs = 0; epochs <= EPOCHS; epochs++)
      test(`resumed elsewhere after epoch ${epochs}, it is as if it had never stopped`, async () => {
        const first = await begin();
        await trainUntil(first, epochs);
        const saved = encodeCheckpoint(await first.checkpoint());
        await first.dispose();
        assert.deepEqual(await wholeOf({ checkpoint: decodeCheckpoint(saved) }), await whole());
      });

    test('a checkpoint is a copy: later epochs do not change it', async () => {
      const training = await begin();
      await training.epoch();
      const checkpoint = await training.checkpoint();
      const bytes = encodeCheckpoint(checkpoint);
      await training.epoch();
      assert.deepEqual(encodeCheckpoint(checkpoint), bytes);
      assert.notDeepEqual((await training.checkpoint()).tensors, checkpoint.tensors);
    });

    test('measuring gives the metrics of the last record and changes nothing', async () => {
      const training = await begin();
      const { valid: recorded } = await training.epoch();
      const before = await training.checkpoint();
      assert.deepEqual((await training.measure(valid)).metrics, recorded);
      assert.deepEqual(await training.checkpoint(), before);
      await trainUntil(training, EPOCHS);
      assert.deepEqual(timeless(training.history), (await whole()).history);
    });

    test('disposing frees all its programs and tensors; a second time does nothing', async () => {
      const { engine, held } = counted(referenceEngine());
      const training = await begin({ engine });
      await training.epoch();
      assert.ok(held() > 0);
      await training.dispose();
      await training.dispose();
      assert.equal(held(), 0);
    });

    test('aborted, an epoch rejects with the reason; disposing then frees all', async () => {
      const { engine, held } = counted(referenceEngine());
      const control = new AbortController();
      const training = await begin({ engine, signal: control.signal });
      await training.epoch();
      const reason = new Error('the worker is told to go');
      control.abort(reason);
      await assert.rejects(training.epoch(), reason);
      await training.dispose();
      assert.equal(held(), 0);
    });

    test('a checkpoint of something else is refused, and nothing stays open', async () => {
      const { engine, held } = counted(referenceEngine());
      const foreign = { history: [], steps: 0, tensors: { x: { shape: [1], data: new Float32Array(1) } } };
      await assert.rejects(begin({ engine, checkpoint: foreign }), TrainingFailure);
      assert.equal(held(), 0);
    });
  });
}

/** An engine, and how many of its programs and states are open. */
function counted(engine: Engine): { readonly engine: Engine; held(): number } {
  const open = new Set<object>();
  const watched = <T extends { dispose(): unknown }>(one: T): T => {
    open.add(one);
    const dispose = one.dispose.bind(one);
    one.dispose = () => {
      open.delete(one);
      return dispose();
    };
    return one;
  };
  return {
    engine: {
      ...engine,
      compile: async (...args) => watched(await engine.compile(...args)),
      createState: (values) => watched(engine.createState(values)),
    },
    held: () => open.size,
  };
}
