import { invalid } from '../../common/errors.ts';
import { decisions } from '../../space/index.ts';
import type { Architecture, Space } from '../../space/space.ts';

/**
 * The number of an architecture in the order of `first` and `successor`, from 0; undefined for what is no architecture
 * of the space. For spaces of lists that are all always active, whose numbers are those of an odometer: O(decisions).
 * Throws UserError for other spaces.
 */
export function ordinalIn(space: Space): (architecture: Architecture) => number | undefined {
  const wheels = decisions(space).map(({ name, domain, when }) => {
    if (domain.kind !== 'values' || !when.some((conditions) => conditions.length === 0)) {
      throw invalid(
        `space "${space.name}"`,
        `decision "${name}" is not a list, or not always active`,
        'cannot be numbered',
      );
    }
    return { name, digits: new Map(domain.values.map((value, digit) => [value, digit])), base: domain.values.length };
  });
  return (architecture) => {
    let number = 0;
    for (const { name, digits, base } of wheels) {
      const digit = digits.get(architecture[name] as string);
      if (digit === undefined) return undefined;
      number = number * base + digit;
    }
    return number;
  };
}
