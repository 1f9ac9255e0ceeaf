import { z } from 'zod';
import { invalid } from '../common/errors.ts';
import { options } from '../common/options.ts';
import { forecastFrom } from '../model/learned-curve.ts';
import { forecastCurve } from '../model/learning-curve.ts';
import type { Problem } from '../strategy/strategy.ts';
import type { StudySettings } from './spec.ts';
import { curveStopping, medianStopping, type StoppingRule } from './stopping.ts';

const median = z.strictObject({
  warmup: z.int().min(0).max(1e6).default(1),
  trials: z.int().min(1).max(1e6).default(5),
});
const curve = z.strictObject({
  warmup: z.int().min(1).max(1e6).default(2),
  trials: z.int().min(2).max(1e6).default(5),
  probability: z.number().gt(0).lt(1).default(0.05),
  model: z.enum(['parametric', 'learned']).default('parametric'),
});

/** The stopping rule that settings name; undefined: none. Throws UserError for an option that it does not have. */
export function stoppingOf(
  { stopping, stoppingOptions }: Pick<StudySettings, 'stopping' | 'stoppingOptions'>,
  { objectives, fidelities }: Problem,
): StoppingRule | undefined {
  const checked = <T>(schema: z.ZodType<T>) => options(schema, stoppingOptions, '--stopping-options');
  switch (stopping) {
    case 'none':
      checked(z.strictObject({}));
      return undefined;
    case 'median':
      return medianStopping(objectives, checked(median));
    case 'curve': {
      const [objective, ...others] = objectives;
      if (others.length > 0)
        throw invalid(
          '--stopping',
          'curve',
          'forecasts one objective, but the study has several; with these, median takes ranks on fronts',
        );
      const epochs = fidelities.at(-1)?.epochs ?? 0;
      const { model, ...rest } = checked(curve);
      const learned = model === 'learned' ? { learned: forecastFrom } : {};
      return curveStopping(objective, { ...rest, epochs, forecast: forecastCurve, ...learned });
    }
  }
}
