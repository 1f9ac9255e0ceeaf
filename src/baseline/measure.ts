import type { Samples } from '../data/dataset.ts';
import type { Measured } from '../task/metrics.ts';
import { mapValues, onlyOf } from '../task/spec.ts';
import type { BaselineTask, FitOptions, FittedBaseline } from './baseline.ts';
import { CHUNK, readRaw } from './rows.ts';
import { watch } from './time.ts';

/**
 * Measures a fitted baseline on samples by the task's own scorer. Undefined: the deadline came first. Throws the signal's reason when
 * aborted.
 */
export async function measureBaseline(
  { info, task }: BaselineTask,
  fitted: FittedBaseline,
  samples: Samples,
  options: Omit<FitOptions, 'seed'>,
): Promise<Measured | undefined> {
  const { isOver, pause } = watch(options);
  const spec = task.spec(info);
  const scorer = task.scorer(info);
  const [name = ''] = Object.keys(spec.outputs);
  for (let from = 0; from < samples.count; from += CHUNK) {
    const count = Math.min(CHUNK, samples.count - from);
    const { inputs, targets } = await readRaw(
      samples,
      spec,
      Array.from({ length: count }, (_, i) => from + i),
    );
    const given = { [name]: fitted.predict(Float32Array.from(onlyOf(inputs)), count) };
    const outputs = mapValues(given, (values) => values.slice());
    task.restore?.(outputs, info);
    scorer.add(outputs, targets, count, given);
    if (isOver() && from + count < samples.count) return undefined;
    await pause();
  }
  return scorer.result();
}
