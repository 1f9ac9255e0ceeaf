import type { core } from 'zod';

/** What a schema's check found, before it has a message. */
type Issue = core.$ZodRawIssue;

const KINDS: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  string: 'text',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
  undefined: 'left out',
  never: 'left out',
};

/**
 * The rule that a value breaks, in the words of our errors (`must be at least 1`): what a schema is given as its `error` when it checks. A
 * message that stands in the schema itself comes first.
 */
export function ruleOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.expected === 'number' && typeof issue.input === 'number' && !Number.isNaN(issue.input))
        return 'must be a finite number';
      return `must be ${KINDS[String(issue.expected)] ?? `of type ${issue.expected}`}`;
    case 'too_small':
      return sizeRule(issue, issue.minimum, issue.inclusive === false ? 'above' : 'at least');
    case 'too_big':
      return sizeRule(issue, issue.maximum, issue.inclusive === false ? 'below' : 'at most');
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.join(', ')}`;
    case 'invalid_format':
      return formatRule(issue);
    case 'unrecognized_keys':
      return `must have no ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
    case 'invalid_union':
      return unionRule(issue);
    case 'invalid_key':
      return `must have names that keep their rule: ${issue.issues[0]?.message ?? 'one does not'}`;
    case 'invalid_element':
      return `must have entries that keep their rule: ${issue.issues[0]?.message ?? 'one does not'}`;
    default:
      // A check that is a function and has no words of its own.
      return 'must pass its check';
  }
}

const COUNTED: Readonly<Record<string, readonly [one: string, many: string]>> = {
  string: ['character', 'characters'],
  array: ['entry', 'entries'],
  set: ['entry', 'entries'],
  map: ['entry', 'entries'],
};

/** Numbers have limits, texts and lists a length. */
function sizeRule(
  { origin, exact }: { readonly origin?: unknown; readonly exact?: boolean | undefined },
  limit: unknown,
  comparison: string,
): string {
  const counted = COUNTED[String(origin)];
  if (counted === undefined) return `must be ${comparison} ${showLimit(limit)}`;
  if (comparison === 'at least' && Number(limit) === 1) return 'must not be empty';
  return `must have ${exact === true ? 'exactly' : comparison} ${showLimit(limit)} ${counted[Number(limit) === 1 ? 0 : 1]}`;
}

interface FormatIssue {
  readonly format: string;
  readonly pattern?: string | undefined;
  readonly [detail: string]: unknown;
}

function formatRule({ format, pattern, prefix, suffix, includes }: FormatIssue): string {
  switch (format) {
    case 'starts_with':
      return `must begin with "${prefix}"`;
    case 'ends_with':
      return `must end with "${suffix}"`;
    case 'includes':
      return `must contain "${includes}"`;
    case 'regex':
      return `must have the form ${pattern}`;
    default:
      return `must have the form of ${format}`;
  }
}

interface UnionIssue {
  readonly errors: readonly (readonly { readonly message: string }[])[];
  readonly discriminator?: string | undefined;
}

/** `must be a number, or must be text`: the first rule of each alternative. */
function unionRule({ errors, discriminator }: UnionIssue): string {
  if (discriminator !== undefined) return `must have a known "${discriminator}"`;
  const rules = new Set(errors.flatMap(([first]) => (first === undefined ? [] : [first.message])));
  return rules.size === 0 ? 'must be of exactly one of its kinds' : [...rules].join(', or ');
}

/** `1,000,000`, `0.000001`, `1e+38`. Without `toLocaleString`: every command shows limits as it starts, and loading the locales takes 15 ms. */
export function showLimit(limit: unknown): string {
  if (typeof limit !== 'number' || Math.abs(limit) > Number.MAX_SAFE_INTEGER) return String(limit);
  const [whole = '', ...fraction] = limit
    .toFixed(6)
    .replace(/\.?0+$/, '')
    .split('.');
  return [whole.replace(/\B(?=(\d{3})+$)/g, ','), ...fraction].join('.');
}
