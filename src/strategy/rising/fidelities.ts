import { invalid } from '../../common/errors.ts';
import type { Fidelity } from '../../common/fidelity.ts';

/** How trials rise from one fidelity to the next. */
export interface Rungs {
  /** Factor between the epochs of one fidelity and the next. */
  readonly eta: number;
  /** Epochs of the lowest fidelity, at least. */
  readonly minEpochs: number;
}

/**
 * Fidelities of rising epochs, each η times those of the one before, up to the full one and down to no fewer than
 * `minEpochs`: R η^-s, rounded, for s from ⌊log_η (R / r)⌋ to 0 (Li et al. 2018). Throws UserError where that leaves one.
 */
export function risingFidelities({ eta, minEpochs }: Rungs, full: Fidelity): [Fidelity, ...Fidelity[]] {
  const lower: Fidelity[] = [];
  for (let epochs = full.epochs / eta; epochs >= minEpochs; epochs /= eta)
    lower.unshift({ ...full, epochs: Math.round(epochs) });
  const [first, ...others] = lower;
  if (first === undefined)
    throw invalid(
      `a multi-fidelity strategy with eta=${eta} and minEpochs=${minEpochs}`,
      `epochs is ${full.epochs}`,
      `must be at least ${eta * minEpochs}, to allow a fidelity below the full one`,
    );
  return [first, ...others, full];
}
