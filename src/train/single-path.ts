/**
 * Supernets of single paths (Guo et al. 2020, arXiv:1904.00420): `trainingGraph` and `inferenceGraph` of a supernet with
 * `choices: 'switch'` are programs in which the architecture is an input. A step computes one path, and moves the weights,
 * the optimizer's tensors and batch norm's statistics of that path alone; what no option of the path uses keeps its bits.
 */
import { invalid } from '../common/errors.ts';
import type { HostTensor } from '../graph/ir.ts';
import type { Switch } from '../network/network.ts';
import type { Architecture, DecisionValue } from '../space/space.ts';

/**
 * The inputs that have a supernet of switches compute this architecture. A decision that the architecture does not have,
 * since it is inactive there, counts nowhere: its switch is at 0. Throws UserError for a value that is no option.
 */
export function switchFeeds(switches: readonly Switch[], architecture: Architecture): Record<string, HostTensor> {
  return Object.fromEntries(
    switches.map((one) => {
      const value = architecture[one.decision];
      const number = value === undefined ? 0 : numberOf(one, value);
      return [one.name, { shape: [], data: Float32Array.of(number) }];
    }),
  );
}

function numberOf({ decision, options, from }: Switch, value: DecisionValue): number {
  if (from !== undefined && Array.isArray(value)) return value.includes(from) ? 1 : 0;
  const number = options.indexOf(String(value));
  if (number >= 0) return number;
  throw invalid(`decision "${decision}"`, `${JSON.stringify(value)} is no option`, `options are ${options.join(', ')}`);
}
