import { z } from 'zod';
import { unknownName } from './closest.ts';
import { invalid } from './errors.ts';
import { ruleOf } from './rules.ts';
import { shownValue } from './text.ts';

/** The value of one option. */
export type OptionValue = number | string | boolean;
export type OptionValues = Readonly<Record<string, OptionValue>>;

/** A default with a rule for numbers; `whole`: no fractions, `above` and `below` exclude the value itself. */
export interface NumberOption {
  readonly default: number;
  readonly whole?: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly above?: number;
  readonly below?: number;
}

/** A default among words. */
export interface WordOption {
  readonly default: string;
  readonly words: readonly string[];
}

/** Options by name: each is a default, which also gives its type, or a default with a rule. */
export type OptionSpecs = Readonly<Record<string, OptionValue | NumberOption | WordOption>>;

type DefaultOf<O> = O extends { readonly default: infer D } ? D : O;
type Widened<V> = V extends number ? number : V extends string ? string : boolean;

/** The values of options: `{ cells: { default: 5, min: 1 }, tune: false }` gives `{ cells: number, tune: boolean }`. */
export type OptionsBy<D extends OptionSpecs> = { readonly [K in keyof D]: Widened<DefaultOf<D[K]>> };

/**
 * Checks options that a user gives by their schema and fills in the defaults. Throws UserError:
 * `strategy "tpe": option gamma is 2; must be below 1`, `strategy "tpe": unknown option "gama"; did you mean "gamma"? ...`.
 */
export function options<T>(schema: z.ZodType<T>, given: Readonly<Record<string, unknown>>, place: string): T {
  const parsed = schema.safeParse(given, { error: ruleOf });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = issue?.code === 'unrecognized_keys' ? issue.keys[0] : issue?.path[0];
  const known = optionNames(schema);
  // A name with a point belongs to a family, such as `weight.accuracy`.
  const isUnknown = typeof name === 'string' && !name.includes('.') && !known.includes(name);
  if (isUnknown || issue?.code === 'unrecognized_keys')
    throw unknownName(`${place}: unknown option`, String(name), known);
  const found = name === undefined ? shownValue(given) : `option ${String(name)} is ${shownValue(given[String(name)])}`;
  throw invalid(place, found, issue?.message ?? 'is not valid');
}

/** The same by plain specifications. */
export function optionsBy<D extends OptionSpecs>(
  specs: D,
  given: Readonly<Record<string, unknown>>,
  place: string,
): OptionsBy<D> {
  return options(schemaOf(specs), given, place) as OptionsBy<D>;
}

const RULES: readonly string[] = ['default', 'whole', 'min', 'max', 'above', 'below', 'words'];

/**
 * The schema of plain specifications. Throws UserError, with `place`, for a default that is no option or breaks its rule, and for a rule
 * that there is not.
 */
export function schemaOf(specs: OptionSpecs, place = 'options'): z.ZodType<OptionValues> {
  const shape = Object.entries(specs).map(([name, spec]) => {
    const unknown = isRuled(spec) ? Object.keys(spec).find((rule) => !RULES.includes(rule)) : undefined;
    if (unknown !== undefined) throw unknownName(`${place}: option "${name}": unknown rule`, unknown, RULES);
    const preset = isRuled(spec) ? spec.default : spec;
    const schema = ruled(spec);
    const found = `default of option "${name}" is ${shownValue(preset)}`;
    if (schema === undefined) throw invalid(place, found, 'must be a number, text or boolean');
    const checked = schema.safeParse(preset, { error: ruleOf });
    if (!checked.success) throw invalid(place, found, checked.error.issues[0]?.message ?? 'is not valid');
    return [name, schema.default(checked.data)] as const;
  });
  return z.strictObject(Object.fromEntries(shape));
}

/** The defaults alone. */
export function defaultsOf(specs: OptionSpecs): OptionValues {
  return Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, isRuled(spec) ? spec.default : spec]));
}

/** The names that a schema knows, in its order. */
function optionNames(schema: z.ZodType): readonly string[] {
  return Object.keys(z.toJSONSchema(schema, { io: 'input' }).properties ?? {});
}

const isRuled = (spec: unknown): spec is NumberOption | WordOption =>
  spec !== null && typeof spec === 'object' && 'default' in spec;

/** The rule of one option; undefined: it is none. */
function ruled(spec: OptionSpecs[string]): z.ZodType<OptionValue> | undefined {
  const preset: unknown = isRuled(spec) ? spec.default : spec;
  if (isRuled(spec) && 'words' in spec) return z.enum(spec.words);
  if (typeof preset === 'string') return z.string();
  if (typeof preset === 'boolean') return z.boolean();
  if (typeof preset !== 'number') return undefined;
  if (!isRuled(spec)) return z.number();
  const { whole = false, min, max, above, below } = spec;
  let schema: z.ZodNumber = whole ? z.int() : z.number();
  if (min !== undefined) schema = schema.min(min);
  if (max !== undefined) schema = schema.max(max);
  if (above !== undefined) schema = schema.gt(above);
  return below === undefined ? schema : schema.lt(below);
}
