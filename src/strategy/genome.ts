import { invalid } from '../common/errors.ts';
import type { GenomeMoves } from '../space/genome/moves.ts';
import type { Problem } from './strategy.ts';

/** The moves on genes of the problem's space. Throws UserError for a space whose members are no genomes. */
export function genomeMovesOf({ space }: Pick<Problem, 'space'>, strategy: string): GenomeMoves {
  if (space.genome !== undefined) return space.genome;
  throw invalid(
    `strategy "${strategy}"`,
    `the members of space "${space.name}" are no genomes`,
    'needs a space of genomes (`layer-genomes`, `neatSpace`)',
  );
}
