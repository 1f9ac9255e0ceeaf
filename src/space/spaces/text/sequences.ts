/** What the spaces for texts and other sequences share: what a task reads, and how a network begins and ends. */
import { UserError } from '../../../common/errors.ts';
import type { Task } from '../../space.ts';
import {
  choice,
  dagOfNodes,
  embedding,
  globalAvgPool,
  identity,
  int,
  linear,
  sequential,
  shared,
} from '../../tree/builders.ts';
import type { Module, Value } from '../../tree/module.ts';

/** What is known of a task whose samples are sequences. */
export interface Sequences {
  /** Positions of a sample. */
  readonly length: number;
  /** Whether the samples are tokens; else each position has numbers. */
  readonly hasTokens: boolean;
  /** Whether it asks for an answer at each position, from this one and those before it. */
  readonly isDecoder: boolean;
  /** Whether an answer is one of the tokens that are read, so that both can have one table. */
  readonly canTie: boolean;
}

/** Throws UserError for a task of images or tables, and for one that answers at other positions than it reads. */
export function sequencesOf({ input, outputs, positions = [], vocabulary }: Task): Sequences {
  const hasTokens = vocabulary !== undefined;
  const [length] = hasTokens ? input : input.slice(1);
  if (length === undefined || input.length !== (hasTokens ? 1 : 2))
    throw new UserError(`input is [${input.join(', ')}]; needs tokens, [time], or sequences, [channels, time]`);
  if (positions.length > 0 && String(positions) !== String([length]))
    throw new UserError(
      `the task answers at [${positions.join(', ')}] positions; must be those that it reads: ${length}`,
    );
  const isDecoder = positions.length > 0;
  return { length, hasTokens, isDecoder, canTie: isDecoder && outputs === vocabulary };
}

/** Throws UserError for a task that asks for an answer at each position. */
export function wholeSequencesOf(task: Task): Sequences {
  const sequences = sequencesOf(task);
  if (sequences.isDecoder)
    throw new UserError('the task asks for an answer at each position; this space gives one for each sample');
  return sequences;
}

const TABLE = 'tokens';

/** [N, width, T] of what a sample is. A table of tokens may be that of the output layer as well (`answersOf`). */
export function entranceOf({ hasTokens, canTie }: Sequences, width: Value<number>, dropout: Value<number> = 0): Module {
  if (!hasTokens) return linear(width);
  const table = embedding('inputs', width, { dropout });
  return canTie ? shared(TABLE, table) : table;
}

/**
 * The answers: at each position, or of the mean over all positions that a sample has. `output` decides whether the output layer is the
 * table of tokens (Press & Wolf 2017, arXiv:1608.05859).
 */
export function answersOf({ isDecoder, canTie }: Sequences): Module {
  if (canTie) return choice('output', { tied: tiedOutput(), untied: linear('outputs', { bias: false }) });
  return isDecoder ? linear('outputs') : pooled();
}

/** The table of tokens as the output layer. */
export const tiedOutput = ({ bias = false } = {}): Module => shared(TABLE, linear('outputs', { bias }));

/** Modules that read the same; what they put out is concatenated along the channels. */
export function side(modules: readonly Module[]): Module {
  const [only, ...others] = modules;
  if (only !== undefined && others.length === 0) return only;
  return dagOfNodes(modules.length, (node) => ({ from: [0], edge: () => modules[node - 1] ?? identity() }), {
    output: 'concat',
  });
}

const pooled = (): Module => sequential(globalAvgPool(), linear('outputs'));

/** A whole number from `least` to `most`, where these differ. */
export const numberFrom = (name: string, least: number, most: number): Value<number> =>
  least < most ? int(name, least, most) : most;

/** A choice, where there is more than one option. */
export function choiceIfSeveral(name: string, options: Readonly<Record<string, Module>>): Module {
  const [only, ...others] = Object.values(options);
  return only !== undefined && others.length === 0 ? only : choice(name, options);
}
