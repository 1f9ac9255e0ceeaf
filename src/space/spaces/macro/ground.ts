/** What the layers of the space `macro` work on, by the task. */
import { UserError } from '../../../common/errors.ts';
import type { Task } from '../../space.ts';
import { reductions } from '../image/images.ts';

export type MacroRank = 'image' | 'sequence' | 'table';

export interface Ground {
  readonly rank: MacroRank;
  /** [height, width] or [length] after the stem; of a table nothing. */
  readonly sides: readonly number[];
  /** How often the stem halves a large input. */
  readonly stemHalvings: number;
  /** How often the layers halve it in the end. */
  readonly halvings: number;
}

/** Layers halve their input twice where it is large enough. */
const STAGES = 3;

/** Throws UserError for a task that asks for an answer at each position. */
export function groundOf({ input, positions = [], vocabulary }: Task): Ground {
  if (positions.length > 0)
    throw new UserError('the task asks for an answer at each position; this space gives one for each sample');
  if (input.length === 1 && vocabulary === undefined) return { rank: 'table', sides: [], stemHalvings: 0, halvings: 0 };
  const given = vocabulary === undefined ? input.slice(1) : input;
  const [height = 1, width = height] = given;
  const { stem, stages } = reductions({ channels: 1, height, width }, STAGES);
  return {
    rank: given.length === 2 ? 'image' : 'sequence',
    sides: halved(given, stem),
    stemHalvings: stem,
    halvings: stages.filter((stride) => stride === 2).length,
  };
}

/** Sides after so many halvings, each rounded up. */
export function halved(sides: readonly number[], times: number): readonly number[] {
  return times === 0
    ? sides
    : halved(
        sides.map((side) => Math.ceil(side / 2)),
        times - 1,
      );
}

/** How few layers a network may have. */
export const fewestLayers = ({ rank }: Pick<Ground, 'rank'>): number => (rank === 'table' ? 1 : 3);
