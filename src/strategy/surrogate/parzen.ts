/** Densities over the architectures of a space, estimated from some of them (Parzen windows). */
import type { Rng } from '../../common/random.ts';
import { lowerTail } from '../../model/normal.ts';
import type { Architecture, Decision, DecisionValue, Space } from '../../space/space.ts';
import { settled } from '../../space/tree/choose.ts';
import { decided, decisions, isActive } from '../../space/tree/decisions.ts';
import { formatValue, sampleValue, shareOf } from '../../space/tree/domain.ts';
import { fromUnit, toUnit } from '../scale.ts';
import type { Draft } from './candidates.ts';

export interface ParzenOptions {
  /** Whether a kernel is a product over all decisions, so that what belongs together stays together. */
  readonly multivariate: boolean;
  /** The share of a categorical kernel that is spread evenly over all values. */
  readonly spread: number;
}

export interface Parzen {
  draw(rng: Rng): Draft;
  /** The logarithm of the density at a draft, of ranges on their scale from 0 to 1. */
  logDensity(draft: Draft): number;
}

/** One decision: what was seen of it, and the kernel around each value. */
interface Window {
  readonly decision: Decision;
  /** For each architecture: a place on the scale, or the number of a category; NaN if inactive. */
  readonly seen: Float64Array;
  codeOf(value: DecisionValue): number;
  /** Density at a value of the kernel around the i-th architecture, if the decision is active. */
  density(at: number, i: number): number;
  /** Density of the distribution that random draws have: uniform, or by the weights of the options. */
  prior(at: number): number;
  perturb(center: number, value: DecisionValue, rng: Rng): DecisionValue;
}

/**
 * A mixture of one kernel around each architecture and of the uniform distribution, all of equal weight. Lists and
 * chosen inputs: the value, and with a share of `spread` any (Aitchison & Aitken 1976); ranges: a normal distribution
 * cut at the ends, of a bandwidth by Scott's rule. A decision that is inactive in an architecture is drawn as by chance in its
 * kernel. Options that have weights are drawn by them wherever it says uniform. Density: O(architectures · decisions).
 */
export function parzen(space: Space, architectures: readonly Architecture[], options: ParzenOptions): Parzen {
  const all = decisions(space);
  const windows = all.map((decision) => windowOf(decision, architectures, all.length, options));
  const count = architectures.length;

  return {
    draw(rng) {
      const draft: Draft = {};
      const chosen = rng.int(count + 1);
      for (const { decision, seen, perturb } of windows) {
        if (!isActive(decision, draft)) continue;
        const center = options.multivariate ? chosen : rng.int(count + 1);
        const around = architectures[center];
        const value = around && decided(around, decision.name);
        draft[decision.name] =
          value === undefined ? sampleValue(decision.domain, rng) : perturb(seen[center] ?? Number.NaN, value, rng);
      }
      return settled(space, draft);
    },
    logDensity(draft) {
      const active = windows.flatMap((window) => {
        const value = draft[window.decision.name];
        return value === undefined ? [] : [{ ...window, at: window.codeOf(value) }];
      });
      const kernel = ({ seen, density, prior, at }: Window & { readonly at: number }, i: number) => {
        return i === count || Number.isNaN(seen[i]) ? prior(at) : density(at, i);
      };
      if (!options.multivariate) {
        return active.reduce((sum, window) => {
          let total = 0;
          for (let i = 0; i <= count; i++) total += kernel(window, i);
          return sum + Math.log(total / (count + 1));
        }, 0);
      }
      let total = 0;
      for (let i = 0; i <= count; i++) {
        let product = 1;
        for (const window of active) product *= kernel(window, i);
        total += product;
      }
      return Math.log(Math.max(total, Number.MIN_VALUE) / (count + 1));
    },
  };
}

function windowOf(
  decision: Decision,
  architectures: readonly Architecture[],
  dimensions: number,
  { spread, multivariate }: ParzenOptions,
): Window {
  const { name, domain } = decision;
  const codes = (codeOf: (value: DecisionValue) => number) =>
    Float64Array.from(architectures, (architecture) => {
      const value = decided(architecture, name);
      return value === undefined ? Number.NaN : codeOf(value);
    });
  if (domain.kind === 'int' || domain.kind === 'float') {
    const codeOf = (value: DecisionValue) => toUnit(domain, Number(value));
    const seen = codes(codeOf);
    const width = bandwidth(seen, multivariate ? dimensions : 1);
    // The area under each bell from 0 to 1.
    const masses = seen.map(
      (center) => (lowerTail((1 - center) / width) - lowerTail(-center / width)) * width * Math.sqrt(2 * Math.PI),
    );
    return {
      decision,
      seen,
      codeOf,
      prior: () => 1,
      density: (at, i) => Math.exp(-0.5 * ((at - (seen[i] ?? Number.NaN)) / width) ** 2) / (masses[i] ?? Number.NaN),
      perturb: (center, _, rng) => fromUnit(domain, within(center, width, rng)),
    };
  }
  const numbers = new Map<string, number>();
  const shares: number[] = [];
  const codeOf = (value: DecisionValue) => {
    const key = formatValue(value);
    const code = numbers.get(key) ?? numbers.size;
    numbers.set(key, code);
    shares[code] = shareOf(domain, value);
    return code;
  };
  const seen = codes(codeOf);
  const prior = (at: number) => shares[at] ?? 1;
  return {
    decision,
    seen,
    codeOf,
    prior,
    density: (at, i) => spread * prior(at) + (at === seen[i] ? 1 - spread : 0),
    perturb: (_, value, rng) => (rng.float() < spread ? sampleValue(domain, rng) : value),
  };
}

/** Scott's rule, but never so narrow that the search stops at what it knows. */
function bandwidth(seen: Float64Array, dimensions: number): number {
  const active = seen.filter((value) => !Number.isNaN(value));
  const n = active.length;
  if (n === 0) return 1;
  const mean = active.reduce((sum, value) => sum + value, 0) / n;
  const deviation = Math.sqrt(active.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n);
  return Math.max(1.06 * deviation * n ** (-1 / (4 + dimensions)), 1 / Math.min(100, 1 + n));
}

/** A normal draw between 0 and 1. */
function within(center: number, width: number, rng: Rng): number {
  for (let attempt = 0; attempt < 32; attempt++) {
    const drawn = center + width * rng.normal();
    if (drawn >= 0 && drawn <= 1) return drawn;
  }
  return center;
}
