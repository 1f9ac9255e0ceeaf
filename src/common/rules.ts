/** What a schema's check found: the fields of zod's issues that are read here. */
interface Found {
  readonly code?: string | undefined;
  readonly expected?: unknown;
  readonly minimum?: unknown;
  readonly maximum?: unknown;
  readonly inclusive?: unknown;
  readonly divisor?: unknown;
  readonly values?: unknown;
}

const KINDS: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  string: 'text',
};

/** The rule that a value breaks, in the words of our errors: what a schema is given as its `error` when it checks. */
export function ruleOf({ code, expected, minimum, maximum, inclusive, divisor, values }: Found): string | undefined {
  switch (code) {
    case 'invalid_type':
      return `must be ${KINDS[String(expected)] ?? expected}`;
    case 'too_small':
      return `must be ${inclusive === false ? 'above' : 'at least'} ${showLimit(minimum)}`;
    case 'too_big':
      return `must be ${inclusive === false ? 'below' : 'at most'} ${showLimit(maximum)}`;
    case 'not_multiple_of':
      return `must be a multiple of ${divisor}`;
    case 'invalid_value':
      return Array.isArray(values) ? `must be one of ${values.join(', ')}` : undefined;
    default:
      return undefined;
  }
}

/** `1,000,000`, `1e+38` */
export function showLimit(limit: unknown): string {
  if (typeof limit !== 'number' || Math.abs(limit) > Number.MAX_SAFE_INTEGER) return String(limit);
  return limit.toLocaleString('en-US', { maximumFractionDigits: 6 });
}
