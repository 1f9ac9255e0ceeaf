/** Members of search spaces, as plain data. */
import type { Json } from '../common/json.ts';

/** The value of one decision: an option's key, a value, a number of a range, or the chosen inputs in rising order. */
export type DecisionValue = number | string | boolean | readonly number[];

/** One member of a search space: a plain JSON object. The space defines its contents. */
export type Architecture = { readonly [name: string]: Json };

/** One member of a tree space: a value for each active decision and for no other. */
export type TreeArchitecture = Readonly<Record<string, DecisionValue>>;
