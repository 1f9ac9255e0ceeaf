import type { Domain } from '../space/space.ts';

type Range = Extract<Domain, { readonly kind: 'int' | 'float' }>;

/** A value of a range on the range's scale (logarithmic where it is), from 0 to 1. */
export function toUnit({ min, max, log }: Range, value: number): number {
  if (max <= min) return 0;
  return log ? Math.log(value / min) / Math.log(max / min) : (value - min) / (max - min);
}

/** The value at a place from 0 to 1 on the range's scale; a whole number where the range is of them. */
export function fromUnit({ kind, min, max, log }: Range, unit: number): number {
  const value = log ? min * (max / min) ** unit : min + unit * (max - min);
  return Math.min(max, Math.max(min, kind === 'int' ? Math.round(value) : value));
}
