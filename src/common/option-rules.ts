import { z } from 'zod';

/** What one option of a strategy may be. */
export interface OptionRule {
  readonly name: string;
  readonly type: 'integer' | 'number' | 'boolean' | 'word';
  readonly default: number | string | boolean;
  /** The least and the largest value; with `above` and `below` the value itself is excluded. */
  readonly min?: number;
  readonly max?: number;
  readonly above?: number;
  readonly below?: number;
  readonly multipleOf?: number;
  /** A word: the words it may be. Absent: any. */
  readonly words?: readonly string[];
}

interface Described {
  readonly type?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
}

/** The options that a strategy's schema has, in its order. A name with a free part (`weight.METRIC`) is not listed. */
export function optionRules(schema: z.ZodType): readonly OptionRule[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input' });
  return Object.entries(properties).map(([name, property]) => ruleFrom(name, property as Described));
}

function ruleFrom(name: string, described: Described): OptionRule {
  const { type, enum: words, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = described;
  return {
    name,
    type: type === 'integer' || type === 'number' || type === 'boolean' ? type : 'word',
    default: described.default as OptionRule['default'],
    ...(minimum !== undefined && { min: minimum }),
    ...(maximum !== undefined && { max: maximum }),
    ...(exclusiveMinimum !== undefined && { above: exclusiveMinimum }),
    ...(exclusiveMaximum !== undefined && { below: exclusiveMaximum }),
    ...(multipleOf !== undefined && { multipleOf }),
    ...(words !== undefined && { words }),
  };
}
