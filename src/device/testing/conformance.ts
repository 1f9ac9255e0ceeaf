/** What every target must do, as tests. */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { messageOf, UserError } from '../../common/errors.ts';
import { latencyOf } from '../latency.ts';
import type { OpenTarget, Target, TimingRequest } from '../target.ts';
import { chainModel } from './models.ts';

const REQUEST: TimingRequest = { batch: 1, warmup: 1, runs: 3, seconds: 0 };

export interface TargetCase {
  readonly target: Target;
  /** Whether the tests fail where the device is not there, as in CI; otherwise they are skipped. */
  readonly required?: boolean;
  /** Whether it runs the models that it is given, so that one that is none is refused. */
  readonly runsModels?: boolean;
}

/** Opens the target once for all tests. Where the device is not there, each is skipped with the reason, or fails with it if it is required. */
export async function targetConformance({ target, required = false, runsModels = true }: TargetCase): Promise<void> {
  let open: OpenTarget | undefined;
  let missing = '';
  try {
    open = await target.open();
  } catch (error) {
    assert.ok(error instanceof UserError, `open() of ${target.name} throws ${messageOf(error)}, which is no UserError`);
    missing = messageOf(error);
  }
  const opened = open;
  suite(`target conformance: ${target.name}`, () => {
    after(() => opened?.close());
    const check = (name: string, body: (target: OpenTarget) => Promise<void>): void => {
      if (opened !== undefined) test(name, () => body(opened));
      else if (required) test(name, () => assert.fail(missing));
      else test(name, { skip: missing }, () => {});
    };

    check('its description names the runtime on one line', async ({ description }) => {
      assert.match(description, /^\S.*\S$/);
      assert.doesNotMatch(description, /[\n\r]/);
    });

    check('every counted run has a time above 0; there are at least as many as were asked for', async (target) => {
      const { milliseconds, peakBytes } = await target.time(chainModel(2, 16), REQUEST);
      assert.ok(milliseconds.length >= REQUEST.runs, `${milliseconds.length} runs`);
      assert.ok(
        milliseconds.every((ms) => Number.isFinite(ms) && ms > 0),
        `${milliseconds}`,
      );
      assert.ok(peakBytes === undefined || peakBytes > 0);
      const { ms, interval } = latencyOf(milliseconds);
      assert.ok(interval[0] <= ms && ms <= interval[1]);
    });

    check('batches have a size', async (target) => {
      const { milliseconds } = await target.time(chainModel(1, 8), { ...REQUEST, batch: 5 });
      assert.ok(milliseconds.every((ms) => ms > 0));
    });

    if (runsModels)
      check('what is no model is refused, and the target is as good as before', async (target) => {
        await assert.rejects(target.time(new Uint8Array([1, 2, 3]), REQUEST), UserError);
        const { milliseconds } = await target.time(chainModel(1, 8), REQUEST);
        assert.ok(milliseconds.length >= REQUEST.runs);
      });

    check('aborted it rejects with the reason of the signal, and the target is as good as before', async (target) => {
      const reason = new Error('enough');
      await assert.rejects(target.time(chainModel(1, 8), { ...REQUEST, signal: AbortSignal.abort(reason) }), reason);
      const { milliseconds } = await target.time(chainModel(1, 8), REQUEST);
      assert.ok(milliseconds.length >= REQUEST.runs);
    });
  });
}
