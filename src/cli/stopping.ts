import { z } from 'zod';
import { invalid } from '../common/errors.ts';
import { forecastCurve } from '../model/learning-curve.ts';
import type { Problem } from '../strategy/strategy.ts';
import { curveStopping, medianStopping, type StoppingRule } from '../study/stopping.ts';
import type { StudySettings } from './config.ts';

const median = z.strictObject({ warmup: z.int().min(0).default(1), trials: z.int().min(1).default(5) });
const curve = z.strictObject({
  warmup: z.int().min(1).default(2),
  trials: z.int().min(2).default(5),
  probability: z.number().gt(0).lt(1).default(0.05),
});

/** The stopping rule that settings name; undefined: none. Throws UserError for an option that it does not have. */
export function stoppingOf(
  { stopping, stoppingOptions }: Pick<StudySettings, 'stopping' | 'stoppingOptions'>,
  { objectives: [objective, ...others], fidelities }: Problem,
): StoppingRule | undefined {
  if (stopping !== 'none' && others.length > 0)
    throw invalid('--stopping', stopping, 'compares trials by one objective, and the study has several');
  switch (stopping) {
    case 'none':
      checked(z.strictObject({}), stoppingOptions);
      return undefined;
    case 'median':
      return medianStopping(objective, checked(median, stoppingOptions));
    case 'curve': {
      const epochs = fidelities.at(-1)?.epochs ?? 0;
      return curveStopping(objective, { ...checked(curve, stoppingOptions), epochs, forecast: forecastCurve });
    }
  }
}

function checked<T>(schema: z.ZodType<T>, options: StudySettings['stoppingOptions']): T {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const key = issue?.code === 'unrecognized_keys' ? issue.keys[0] : String(issue?.path[0] ?? '');
  throw invalid('--stopping-options', `${key}=${options[key ?? '']}`, issue?.message ?? 'is not valid');
}
