import { invalid } from '../../common/errors.ts';
import { createStrategy } from '../../strategy/index.ts';
import { numberIfItIsOne } from '../flags.ts';

/** A strategy with its options, and what a comparison calls it. */
export interface NamedStrategy {
  readonly name: string;
  readonly strategy: string;
  readonly options: Readonly<Record<string, number | string | boolean>>;
}

export const RANDOM: NamedStrategy = { name: 'random', strategy: 'random', options: {} };

/**
 * `tpe,aging-evolution:population=50:sample=10`: strategies by name, options after colons. Random search comes first, also where it is not
 * named. Throws UserError for an unknown strategy or option, and for one that is named twice.
 */
export function parseStrategies(text: string): readonly NamedStrategy[] {
  const named = text.split(',').map((part): NamedStrategy => {
    const [strategy = '', ...pairs] = part.trim().split(':');
    const options = Object.fromEntries(
      pairs.map((pair) => {
        const at = pair.indexOf('=');
        if (at < 1) throw invalid('--strategies', `"${part}"`, 'must be NAME or NAME:option=value:option=value');
        const value = pair.slice(at + 1);
        const literal = value === 'true' ? true : value === 'false' ? false : numberIfItIsOne(value);
        return [pair.slice(0, at), literal] as const;
      }),
    );
    createStrategy(strategy, options);
    return { name: part.trim(), strategy, options };
  });
  const twice = named.find(({ name }, i) => named.findIndex((other) => other.name === name) !== i);
  if (twice !== undefined) throw invalid('--strategies', `"${twice.name}" twice`, 'must name each once');
  return [RANDOM, ...named.filter(({ name }) => name !== RANDOM.name)];
}
