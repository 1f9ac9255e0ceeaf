/** Measures of a user's own: what `defineMeasure` makes, and what such a measure is given. */
import type { Objective } from '../common/metrics.ts';
import type { Architecture, Task } from '../space/space.ts';
import type { Module } from '../space/tree/module.ts';

export type Direction = Objective['direction'];

/** What a measure of one's own is given. */
export interface MeasuredMember<
  A extends Architecture = Architecture,
  N extends Module | undefined = Module | undefined,
> {
  readonly architecture: A;
  /** The architecture in the space's own notation. */
  readonly text: string;
  /** Undefined in a space whose members are no networks. */
  readonly network: N;
  /** Shapes of the network's input and output, as `networkCosts` takes them; undefined in a space that is no tree. */
  readonly task?: Task | undefined;
}

/** A member of a tree of modules: a network with its task. */
export interface MeasuredNetwork extends MeasuredMember<Architecture, Module> {
  readonly task: Task;
}

/** A measure of one's own: a number that is taken of each candidate before its trial, once for each architecture. */
export interface OwnMeasure<A extends Architecture = Architecture, N extends Module | undefined = Module | undefined> {
  readonly direction: Direction;
  /** For people: `ms`. */
  readonly unit?: string;
  /** What it throws, and a value that is not finite, makes a failed trial. One is taken after another, in the study's process. */
  of(member: MeasuredMember<A, N>): number | Promise<number>;
}

/** A measure of one's own as the command line takes it from a file. */
export interface MeasureDefinition {
  readonly name: string;
  readonly direction: Direction;
  readonly unit: string;
  of(member: MeasuredNetwork): number | Promise<number>;
}

/**
 * A measure of networks of one's own, as a file exports it: `netsmith search --measure ./mine.ts --objective accuracy,latency`. `name`
 * consists of letters and digits. `checkMeasure` says whether it keeps the rules of a measure.
 */
export function defineMeasure({
  name,
  direction,
  unit = '',
  of,
}: Omit<MeasureDefinition, 'unit'> & { readonly unit?: string }): MeasureDefinition {
  return Object.freeze({ name, direction, unit, of });
}
