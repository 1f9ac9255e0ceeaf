/** Rules that bring minus signs outwards, where they meet and cancel, or into the smaller operand. */
import { add, constant, mul, neg, sub } from '../../ops.ts';
import type { Rule, Rules } from '../simplify.ts';
import { binaryOf, eitherOrder, isNarrower, negated, numberOf, pair } from './operands.ts';

/** -(-x) is x, -(a - b) is b - a, -(x · s) is x · (-s) for a smaller or known s. */
const ofSign: Rule<'unary'> = (r, { fn }, [x = -1]) => {
  if (fn !== 'neg') return undefined;
  const inner = negated(r, x);
  if (inner !== undefined) return inner;
  if (!r.once(x)) return undefined;
  const difference = binaryOf(r, x, 'sub');
  if (difference !== undefined) return sub(r, difference[1], difference[0]);
  for (const [wide, small] of eitherOrder(binaryOf(r, x, 'mul') ?? [x, x])) {
    const known = numberOf(r, small);
    if (known !== undefined) return mul(r, wide, constant(r, -known, r.shape(small)));
    if (isNarrower(r, small, wide)) return mul(r, wide, neg(r, small));
  }
  return undefined;
};

/**
 * a + (-b) is a - b, a - (-b) is a + b, (-a) · b is -(a · b), or a · (-b) where b is smaller; but a - s is a + (-s) for an s
 * smaller than a, which then is a bias.
 */
const withSign: Rule<'binary'> = (r, { fn }, inputs) => {
  const [a, b] = pair(inputs);
  const [minusA, minusB] = [negated(r, a), negated(r, b)];
  switch (fn) {
    case 'add':
      if (minusB !== undefined && r.once(b) && !isNarrower(r, b, a)) return sub(r, a, minusB);
      return minusA !== undefined && r.once(a) && !isNarrower(r, a, b) ? sub(r, b, minusA) : undefined;
    case 'sub':
      if (isNarrower(r, b, a)) return add(r, a, minusB ?? neg(r, b));
      return minusB !== undefined && r.once(b) ? add(r, a, minusB) : undefined;
    case 'mul':
    case 'div': {
      if (minusA !== undefined && minusB !== undefined) return r.add({ kind: 'binary', fn }, [minusA, minusB]);
      const [signed, bare] = minusA !== undefined ? [a, minusA] : [b, minusB];
      if (bare === undefined || !r.once(signed)) return undefined;
      const other = signed === a ? b : a;
      const known = numberOf(r, other);
      if (fn === 'mul' && known !== undefined) return mul(r, bare, constant(r, -known, r.shape(other)));
      if (isNarrower(r, signed, other)) return undefined;
      if (fn === 'mul' && isNarrower(r, other, bare)) return mul(r, bare, neg(r, other));
      return neg(r, r.add({ kind: 'binary', fn }, signed === a ? [bare, b] : [a, bare]));
    }
    case 'max':
    case 'min':
      return undefined;
  }
};

export const signRules: Rules = { unary: [ofSign], binary: [withSign] };
