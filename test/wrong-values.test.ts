import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { settingsOf } from '../src/app/spec.ts';
import { UserError } from '../src/common/errors.ts';
import type { OptionRule } from '../src/common/option-rules.ts';
import type { SpaceDefinition } from '../src/space/space.ts';
import { SPACES } from '../src/space/spaces/index.ts';
import { exampleTask } from '../src/space/testing/example-task.ts';
import { STRATEGIES, type StrategyDefinition } from '../src/strategy/index.ts';
import { checkSettings, SETTING_NAMES, studySchema } from '../src/study/spec.ts';

const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;

/** Values of every kind that a program, a configuration or a flag can give. */
const VALUES: readonly unknown[] = [
  ...[Number.NaN, Infinity, -Infinity, -1, -0.5, 0, 0.5, 1.5, 3, 1e9, 1e16, 1e308, Number.MIN_VALUE],
  ...['', ' ', 'no such name', '5', 'NaN', '1e999', 'x'.repeat(100_000), '\u001b[31m', '../..', '\0'],
  ...[true, false, null, [], [1], [''], ['no such'], [null], {}, { a: 1 }, { a: null }, { a: Number.NaN }, { '': 1 }],
  ...[
    { 'no such': {} },
    { accuracy: 'x' },
    { params: -1 },
    { constructor: 1 },
    5n,
    Symbol('s'),
    () => 1,
    new Date(0),
    cyclic,
  ],
];

/** What no message may hold: text of the libraries below, and values that nobody wrote. */
const RAW =
  /Invalid|expected|received|Zod|\[object|undefined|Unrecognized|Cannot |is not a function|not iterable|circular/;

/** What is wrong with the error of a wrong value: it is one UserError with place, value and rule, short and without raw text. */
function faultOf(error: unknown, place: string, name: string, value: unknown): string | undefined {
  if (!(error instanceof UserError)) return `${place}: ${error instanceof Error ? error.stack?.slice(0, 400) : error}`;
  const { message } = error;
  const said = message.replaceAll(/"[^"]*"/g, '');
  const number = typeof value === 'number' ? [String(value), value.toLocaleString('en-US')] : [''];
  const isGood =
    message.includes(place) &&
    message.includes(name) &&
    /; .*(must|cannot|may|has|needs|twice|did you mean|there are none)/s.test(message) &&
    !RAW.test(said) &&
    message.length < 1200 &&
    number.some((text) => message.includes(text));
  return isGood ? undefined : `${place} ${name}, ${typeof value}: ${message.slice(0, 400)}`;
}

/** Gives each of these to `body`, which throws for wrong ones and returns whether it was right to take the others. */
async function refusals<T>(
  given: readonly T[],
  placeOf: (one: T) => readonly [place: string, name: string, value: unknown],
  body: (one: T) => boolean | Promise<boolean>,
) {
  const faults: string[] = [];
  let refused = 0;
  for (const one of given) {
    const [place, name, value] = placeOf(one);
    try {
      if (!(await body(one))) faults.push(`${place} ${name} takes ${String(value)} (${typeof value})`);
    } catch (error) {
      refused++;
      const fault = faultOf(error, place, name, value);
      if (fault !== undefined) faults.push(fault);
    }
  }
  assert.deepEqual(faults, []);
  return refused;
}

interface Described {
  readonly type?: string;
  readonly anyOf?: readonly Described[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
}

/** Whether a value is what the JSON Schema says: only what this test needs of it. */
function fits(schema: Described, value: unknown): boolean {
  if (schema.anyOf !== undefined) return schema.anyOf.some((one) => fits(one, value));
  if (schema.enum !== undefined) return schema.enum.includes(value);
  if ('const' in schema) return schema.const === value;
  switch (schema.type) {
    case 'integer':
    case 'number': {
      if (typeof value !== 'number' || !Number.isFinite(value)) return false;
      if (schema.type === 'integer' && !Number.isInteger(value)) return false;
      const {
        minimum = -Infinity,
        maximum = Infinity,
        exclusiveMinimum: above = -Infinity,
        exclusiveMaximum: below = Infinity,
      } = schema;
      return value >= minimum && value <= maximum && value > above && value < below;
    }
    case 'string':
      return typeof value === 'string' && value.length >= (schema.minLength ?? 0);
    case 'boolean':
      return typeof value === 'boolean';
    case 'array':
      return Array.isArray(value) && value.every((one) => typeof one === 'string');
    case 'object':
      return value !== null && typeof value === 'object' && !Array.isArray(value);
    default:
      return true;
  }
}
const described = z.toJSONSchema(studySchema, { io: 'input' }).properties as Readonly<Record<string, Described>>;

test('a wrong value of a setting is refused with the setting, the value and the rule', async () => {
  const given = SETTING_NAMES.flatMap((name) => VALUES.map((value) => ({ name, value })));
  for (const check of [
    (settings: object) => checkSettings(settings, (setting) => `place.${setting}`),
    (settings: object) => settingsOf(settings, 'space' in settings ? (settings.space as string) : 'mlp'),
  ]) {
    const refused = await refusals(
      given,
      ({ name, value }) => [': ', name, value],
      async ({ name, value }) => {
        const text = JSON.stringify(await check({ [name]: value }));
        if (name === 'loss' && typeof value === 'function') return true;
        return fits(described[name] ?? {}, value) && JSON.stringify(JSON.parse(text)) === text;
      },
    );
    assert.ok(refused > 1000, `${refused} values were refused`);
  }
  const rest = ['objective', 'limits', 'strategy', 'measures', 'metrics', 'loss', 'dir', 'prior', 'ifExists', 'onNote'];
  await refusals(
    rest.flatMap((name) => VALUES.map((value) => ({ name, value }))),
    ({ name, value }) => ['createStudy: ', name, value],
    async ({ name, value }) => {
      await settingsOf({ [name]: value } as never, 'mlp');
      if (typeof value === 'function') return name === 'onNote' || name === 'loss';
      if (typeof value === 'string') return ['dir', 'strategy', 'loss'].includes(name);
      return typeof value === 'object' && (Array.isArray(value) || Object.keys(value ?? {}).length === 0);
    },
  );
  const others = VALUES.filter((value) => value === null || typeof value !== 'object' || Array.isArray(value));
  await refusals(
    others,
    (value) => ['place.', 'settings', value],
    (value) => checkSettings(value, (name) => `place.${name}`) === undefined,
  );
});

const fitsRule = ({ type, words, min, max, above, below, multipleOf }: OptionRule, value: unknown) =>
  type === 'word'
    ? typeof value === 'string' && (words === undefined || words.includes(value))
    : fits(
        {
          type,
          ...(min !== undefined && { minimum: min }),
          ...(max !== undefined && { maximum: max }),
          ...(above !== undefined && { exclusiveMinimum: above }),
          ...(below !== undefined && { exclusiveMaximum: below }),
        },
        value,
      ) &&
      (multipleOf === undefined || Number(value) % multipleOf === 0);

test('a wrong value of an option of a strategy or a space is refused with the option, the value and the rule', async () => {
  const strategies = Object.values<StrategyDefinition>(STRATEGIES).map((one) => ({
    place: `strategy "${one.name}"`,
    rules: one.rules?.() ?? [],
    create: (options: Readonly<Record<string, unknown>>) => one.create(options),
  }));
  const spaces = Object.values<SpaceDefinition>(SPACES).map((one) => {
    const task = exampleTask(one, { kind: 'classification', input: [3, 32, 32], outputs: 10 });
    return {
      place: `space "${one.name}"`,
      rules: one.rules?.() ?? [],
      create: (options: Readonly<Record<string, unknown>>) => one.create(task, options as never),
    };
  });
  const all = [...strategies, ...spaces];
  const given = all.flatMap(({ rules, ...rest }) =>
    rules.flatMap((rule) => VALUES.map((value) => ({ ...rest, rule, value }))),
  );
  const refused = await refusals(
    given,
    ({ place, rule, value }) => (rule.name === 'inner' ? ['strategy', '', value] : [place, rule.name, value]),
    ({ create, rule, value }) => create({ [rule.name]: value }) !== undefined && fitsRule(rule, value),
  );
  assert.ok(refused > 1000, `${refused} values were refused`);
  await refusals(
    all,
    ({ place }) => [place, 'nosuchoption', undefined],
    ({ create }) => create({ nosuchoption: 1 }) === undefined,
  );
});
