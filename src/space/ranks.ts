import { UserError } from '../common/errors.ts';
import { isValueChoice } from './fields.ts';
import type { Module } from './module.ts';
import type { Task } from './space.ts';
import type { Dag } from './walk.ts';

/** What a tensor is: [N, C, H, W] or [N, F]. */
type Rank = 'image' | 'vector';
type Ranks = ReadonlySet<Rank>;

const IMAGE: Ranks = new Set(['image']);
const VECTOR: Ranks = new Set(['vector']);

/**
 * Throws UserError where no architecture of a tree can be built for the task because an image comes to what takes a vector, or the other
 * way round, with the place in the tree: `sequential[0].linear gets an image; ...`. What may be either is let through: the
 * sizes decide when a network is built.
 */
export function checkRanks(root: Module, task: Task): void {
  const out = ranksOf(root, task.input.length === 3 ? IMAGE : VECTOR, '');
  if (!out.has('vector')) {
    throw new UserError(
      `${root.kind} ends in an image; a network ends in one number for each output: add globalAvgPool() or flatten(), then linear('outputs')`,
    );
  }
}

/** The ranks that can come out of a module, of those that can go in. Throws UserError when none can. */
function ranksOf(module: Module, into: Ranks, before: string): Ranks {
  const place = `${before}${module.kind}`;
  const child = (inner: Module, ranks: Ranks, step = '') => ranksOf(inner, ranks, `${place}${step}.`);
  switch (module.kind) {
    case 'conv':
    case 'pool':
    case 'squeezeExcite':
    case 'factorisedReduce':
      return taking(IMAGE, into, place, 'it needs images: use it before pooling or flatten()');
    case 'globalPool':
      taking(IMAGE, into, place, 'it needs images: pool only once');
      return VECTOR;
    case 'linear':
      return taking(VECTOR, into, place, 'it needs a vector: add globalAvgPool() or flatten() before it');
    case 'flatten':
      return VECTOR;
    case 'zero':
      return module.stride === 1 || isValueChoice(module.stride)
        ? into
        : taking(IMAGE, into, place, 'it needs images if it has a stride');
    case 'sequential':
      return module.children.reduce((ranks, one, i) => ranksOf(one, ranks, `${place}[${i}].`), into);
    case 'stack':
      return module.cells.reduce((ranks, one, i) => ranksOf(one, either(ranks, into), `${place}[${i}].`), into);
    case 'residual':
      return meeting([child(module.body, into, '.body'), child(module.shortcut, into, '.shortcut')], place);
    case 'repeat':
      return repeated(module, into, (ranks) => child(module.body, ranks));
    case 'scope':
      return child(module.body, into);
    case 'choice':
      return anyOf(Object.entries(module.options), ([key, option]) => child(option, into, ` "${module.name}" ${key}`));
    case 'dag':
      return ranksOfDag(module, into, place);
    default:
      return into;
  }
}

function taking(taken: Ranks, into: Ranks, place: string, rule: string): Ranks {
  const both = shared(into, taken);
  if (both.size === 0)
    throw new UserError(
      `${place} gets ${[...into].map((rank) => (rank === 'image' ? 'an image' : 'a vector')).join(' or ')}; ${rule}`,
    );
  return both;
}

function either(a: Ranks, b: Ranks): Ranks {
  return new Set([...a, ...b]);
}

function shared(a: Ranks, b: Ranks): Ranks {
  return new Set([...a].filter((rank) => b.has(rank)));
}

/** What is added or joined must be alike. */
function meeting(branches: readonly Ranks[], place: string): Ranks {
  const alike = branches.reduce((a, b) => shared(a, b));
  if (alike.size === 0)
    throw new UserError(`${place} combines images and vectors; all its branches must have the same rank`);
  return alike;
}

/** Of branches that cannot be built, others may be taken; the error of the first when none can be. */
function anyOf<T>(branches: readonly T[], ranksOfBranch: (branch: T) => Ranks): Ranks {
  const errors: unknown[] = [];
  const found = branches.flatMap((branch): Rank[] => {
    try {
      return [...ranksOfBranch(branch)];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      errors.push(error);
      return [];
    }
  });
  if (found.length === 0 && errors.length > 0) throw errors[0];
  return new Set(found);
}

/** After each number of rounds that it can have; beyond two nothing new comes. */
function repeated({ times }: Extract<Module, { kind: 'repeat' }>, into: Ranks, body: (ranks: Ranks) => Ranks): Ranks {
  const counts = !isValueChoice(times)
    ? [times]
    : times.kind === 'pick'
      ? times.values.map(Number)
      : [times.min, times.max];
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const rounds = Array.from({ length: Math.min(most, 3) - Math.min(least, 3) + 1 }, (_, i) => Math.min(least, 3) + i);
  return anyOf(rounds, (round) => Array.from({ length: round }).reduce<Ranks>((ranks) => body(ranks), into));
}

function ranksOfDag({ entries, nodes, output }: Dag, into: Ranks, place: string): Ranks {
  const known: Ranks[] = entries.map((entry, i) => ranksOf(entry, into, `${place}.entry ${i}.`));
  for (const node of nodes) {
    const to = known.length;
    const over = (from: number) => {
      const edge = node.edges[from];
      return edge === undefined ? into : ranksOf(edge, known[from] ?? into, `${place}.edge ${from}->${to}.`);
    };
    const earlier = Array.from({ length: to }, (_, from) => from);
    const combined = 'kind' in node.from ? anyOf(earlier, over) : meeting(node.from.map(over), `${place}.node ${to}`);
    known.push(ranksOf(node.body, combined, `${place}.node ${to}.`));
  }
  const own = known.slice(entries.length);
  return output === 'last' ? (own.at(-1) ?? into) : meeting(own, place);
}
