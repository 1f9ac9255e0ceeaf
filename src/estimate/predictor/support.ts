import { UserError } from '../../common/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Prediction } from '../../model/gaussian-process.ts';
import type { ModelTools } from '../../model/tools.ts';

export async function engineOf(model: string, { engine }: ModelTools): Promise<Engine> {
  if (engine === undefined) throw new UserError(`predictor: ${model} has no engine to train its networks; pass one`);
  return engine();
}

/** Of what the members of an ensemble predict. */
export function predictionOf(found: Float64Array): Prediction {
  const mean = found.reduce((sum, value) => sum + value / found.length, 0);
  return { mean, variance: found.reduce((sum, value) => sum + (value - mean) ** 2 / found.length, 0) };
}

/** Brings each column of these rows to [0, 1]; one that is constant there, to 0. */
export function scaling(rows: readonly (readonly number[])[]): (row: readonly number[]) => number[] {
  const columns = (rows[0] ?? []).map((_, i) => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const row of rows) {
      low = Math.min(low, row[i] ?? Number.NaN);
      high = Math.max(high, row[i] ?? Number.NaN);
    }
    return { low, span: high - low };
  });
  return (row) => columns.map(({ low, span }, i) => (span > 0 ? ((row[i] ?? Number.NaN) - low) / span : 0));
}
