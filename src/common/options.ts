import { z } from 'zod';
import { unknownName } from './closest.ts';
import { invalid } from './errors.ts';
import { ruleOf } from './rules.ts';

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
 * Options that come from a person, checked by their schema, defaults filled in. Throws UserError:
 * `strategy "tpe": option gamma is 2; must be below 1`, `strategy "tpe": unknown option "gama"; did you mean "gamma"? ...`.
 */
export function options<T>(schema: z.ZodType<T>, given: Readonly<Record<string, unknown>>, place: string): T {
  const parsed = schema.safeParse(given, { error: ruleOf });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === 'unrecognized_keys')
    throw unknownName(`${place}: unknown option`, issue.keys[0] ?? '', optionNames(schema));
  const name = issue?.path[0];
  const found = name === undefined ? show(given) : `option ${String(name)} is ${show(given[String(name)])}`;
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

/** The schema of plain specifications. Throws UserError, with `place`, for a default that is no option or breaks its rule. */
export function schemaOf(specs: OptionSpecs, place = 'options'): z.ZodType<OptionValues> {
  const shape = Object.entries(specs).map(([name, spec]) => {
    const preset: unknown = isRuled(spec) ? spec.default : spec;
    const schema = ruled(spec);
    if (schema === undefined || !schema.safeParse(preset).success)
      throw invalid(place, `default of option "${name}" is ${show(preset)}`, 'must be a number, text or boolean');
    return [name, schema.default(preset as OptionValue)] as const;
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
  if (!isRuled(spec)) {
    if (typeof spec === 'number') return z.number();
    if (typeof spec === 'string') return z.string();
    return typeof spec === 'boolean' ? z.boolean() : undefined;
  }
  if ('words' in spec) return z.enum(spec.words);
  const { whole = false, min, max, above, below } = spec;
  let schema: z.ZodNumber = whole ? z.int() : z.number();
  if (min !== undefined) schema = schema.min(min);
  if (max !== undefined) schema = schema.max(max);
  if (above !== undefined) schema = schema.gt(above);
  return below === undefined ? schema : schema.lt(below);
}

/** `"x"`, `NaN`, `{"a":1}` */
function show(value: unknown): string {
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
}
