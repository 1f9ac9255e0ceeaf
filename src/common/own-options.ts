import { unknownName } from './closest.ts';
import { invalid } from './errors.ts';

/** Options of a strategy or an estimator of one's own, or their defaults. */
export type OwnOptions = Readonly<Record<string, number | string | boolean>>;

/** Options as their defaults type them: `{ size: 5 }` gives `{ size: number }`. */
export type OptionsBy<D extends OwnOptions> = {
  readonly [K in keyof D]: D[K] extends number ? number : D[K] extends string ? string : boolean;
};

/** The defaults with what is given in their place. Throws UserError, with `place`, for an unknown option or one of another type. */
export function withDefaults<D extends OwnOptions>(
  place: string,
  defaults: D,
  given: Readonly<Record<string, unknown>> = {},
): OptionsBy<D> {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, name)) throw unknownName(`${place}: unknown option`, name, Object.keys(defaults));
    const wanted = typeof defaults[name];
    if (typeof value !== wanted || (wanted === 'number' && !Number.isFinite(value)))
      throw invalid(place, `option ${name} is ${JSON.stringify(value)}`, `must be a ${wanted}`);
  }
  return { ...defaults, ...given } as OptionsBy<D>;
}
