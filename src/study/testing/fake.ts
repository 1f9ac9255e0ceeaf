import { setTimeout as sleep } from 'node:timers/promises';
import { DataError, messageOf } from '../../common/errors.ts';
import { rng } from '../../common/random.ts';
import { type Estimator, type Evaluation, type Report, TrialFailure } from '../../estimate/estimator.ts';
import type { Architecture } from '../../space/space.ts';
import { architectureKey } from '../../space/tree/architecture.ts';
import type { Bench } from '../worker/protocol.ts';

/** What happens to a candidate instead of training. */
export type Fate = 'trains' | 'fails' | 'throws' | 'no data' | 'not finite' | 'kills its process' | 'hangs';

export interface FakeOptions {
  readonly epochMs?: number;
  readonly fate?: (architecture: Architecture) => Fate;
  /** From 0 to 1; drawn from the architecture's key by default. */
  readonly quality?: (architecture: Architecture) => number;
  /** Called at the end of each epoch that is really trained. */
  readonly onEpoch?: (architecture: Architecture, step: number) => void;
}

interface Saved {
  readonly step: number;
  readonly gained: number;
  /** Epochs so far, with those of earlier attempts; a checkpoint that is lost or mixed up shows here. */
  readonly history: readonly string[];
}

/**
 * An estimator that trains nothing: accuracy is a quality drawn from the architecture and a gain drawn from the trial's
 * stream at every epoch. Like a real one it saves a checkpoint each epoch, continues from it, and obeys.
 */
export function fakeEstimator({
  epochMs = 0,
  fate = () => 'trains',
  quality: qualityOf = drawn,
  onEpoch = () => {},
}: FakeOptions = {}): Estimator<unknown> {
  return {
    async estimate({ architecture }, run): Promise<Evaluation> {
      const destiny = fate(architecture);
      if (destiny === 'fails') throw new TrialFailure('loss is not finite');
      if (destiny === 'throws') throw new RangeError('a bug');
      if (destiny === 'no data') throw new DataError('image "a.png": is cut off');
      const quality = qualityOf(architecture) * 0.8;
      const seed = run.rng('seed').int(1e9).toString(36);
      let saved: Saved = { step: 0, gained: 0, history: [] };
      try {
        if (run.checkpoint)
          saved = JSON.parse(new TextDecoder().decode(await run.artifacts.get(run.checkpoint))) as Saved;
      } catch (error) {
        run.note?.(messageOf(error));
      }
      let checkpoint = saved.step === 0 ? undefined : run.checkpoint;
      const metrics = () => ({
        accuracy: destiny === 'not finite' ? Number.NaN : quality + saved.gained,
        loss: 1 - quality,
      });
      const curve: Report[] = [];
      while (saved.step < run.fidelity.epochs) {
        if (destiny === 'hangs') await sleep(60_000, undefined, { signal: run.signal });
        if (epochMs > 0) await sleep(epochMs, undefined, { signal: run.signal });
        const step = saved.step + 1;
        if (destiny === 'kills its process' && step === 2) process.kill(process.pid, 'SIGKILL');
        const gained = saved.gained + run.rng('epoch', step).float() * 0.02;
        saved = { step, gained, history: [...saved.history, `${seed}/${step}`] };
        onEpoch(architecture, step);
        checkpoint = await run.artifacts.put(new TextEncoder().encode(JSON.stringify(saved)));
        const report = { step, metrics: metrics(), seconds: step };
        curve.push(report);
        const answer = await run.report(report, checkpoint);
        if (answer === 'continue' || step === run.fidelity.epochs) continue;
        const state = answer === 'pause' ? 'paused' : 'pruned';
        return { state, metrics: metrics(), curve, seconds: step, checkpoint };
      }
      const history = saved.history.join(' ');
      const expected = Array.from({ length: saved.step }, (_, i) => `${seed}/${i + 1}`).join(' ');
      if (history !== expected) throw new Error(`trained ${history}, not ${expected}`);
      return { state: 'complete', metrics: metrics(), curve, seconds: saved.step, ...(checkpoint && { checkpoint }) };
    },
  };
}

const drawn = (architecture: Architecture) => rng('quality', architectureKey(architecture)).float();

export function fakeBench<S>(space: S, options?: FakeOptions): Bench<S> {
  return { space, estimator: fakeEstimator(options) };
}
