import { UserError } from '../../common/errors.ts';
import { isValueChoice } from './fields.ts';
import type { Module } from './module.ts';
import { readsOf, sourcesOf } from './reads.ts';
import type { Dag } from './walk.ts';

/** What a tensor is: [N, C, H, W], [N, C, T], [N, F], or int32 [N, T]. */
export type Rank = 'image' | 'sequence' | 'vector' | 'tokens';
type Ranks = ReadonlySet<Rank>;

const IMAGE: Ranks = new Set(['image']);
const SEQUENCE: Ranks = new Set(['sequence']);
const VECTOR: Ranks = new Set(['vector']);
const TOKENS: Ranks = new Set(['tokens']);
/** What has positions. */
const SPATIAL: Ranks = new Set(['image', 'sequence']);
const NUMBERS: Ranks = new Set(['image', 'sequence', 'vector']);

const NAMES: Readonly<Record<Rank, string>> = {
  image: 'an image',
  sequence: 'a sequence',
  vector: 'a vector',
  tokens: 'tokens',
};

/** What a network reads and what it has to end in. */
export interface Ends {
  /** Without the batch. */
  readonly input: readonly number[];
  /** int32: tokens. float32 by default. */
  readonly dtype?: 'float32' | 'int32';
  /** A vector by default: one number for each output. */
  readonly output?: Exclude<Rank, 'tokens'>;
}

/**
 * Throws UserError where no architecture of a tree can be built for the task because an image reaches a module for vectors, or the other
 * way round, with the place in the tree: `sequential[0].linear gets an image; ...`. What may be either is let through: the
 * sizes decide when a network is built.
 */
export function checkRanks(root: Module, { input, dtype = 'float32', output = 'vector' }: Ends): void {
  const into = dtype === 'int32' ? TOKENS : input.length === 3 ? IMAGE : input.length === 2 ? SEQUENCE : VECTOR;
  const out = ranksOf(root, into, '');
  if (out.has(output)) return;
  const found = `${root.kind} ends in ${named(out)}`;
  if (output !== 'vector') throw new UserError(`${found}; a network for this task ends in ${NAMES[output]}`);
  throw new UserError(
    `${found}; a network ends in one number for each output: add globalAvgPool() or flatten(), then linear('outputs')`,
  );
}

const named = (ranks: Ranks): string => [...ranks].map((rank) => NAMES[rank]).join(' or ');

/** The ranks that can come out of a module, of those that can go in. Throws UserError when none can. */
function ranksOf(module: Module, into: Ranks, before: string): Ranks {
  const place = `${before}${module.kind}`;
  const child = (inner: Module, ranks: Ranks, step = '') => ranksOf(inner, ranks, `${place}${step}.`);
  switch (module.kind) {
    case 'conv':
    case 'convTranspose':
    case 'resize':
    case 'pool':
    case 'attention':
      return taking(SPATIAL, into, place, 'it needs images or sequences: use it before pooling or flatten()');
    case 'squeezeExcite':
    case 'factorizedReduce':
      return taking(IMAGE, into, place, 'it needs images: use it before pooling or flatten()');
    case 'patches':
      taking(IMAGE, into, place, 'it needs images');
      return SEQUENCE;
    case 'globalPool':
      taking(SPATIAL, into, place, 'it needs images or sequences: pool only once');
      return VECTOR;
    case 'piecewiseLinear':
      return taking(VECTOR, into, place, 'it needs the features of a table');
    case 'linear':
    case 'highway':
      return taking(LINEAR, into, place, 'it needs a vector: add globalAvgPool() or flatten() before it');
    case 'recurrentCell':
      taking(VECTOR, child(module.body, VECTOR), place, 'its body must give a vector, the next state');
      return taking(SEQUENCE, into, place, 'it needs sequences');
    case 'flatten':
      taking(NUMBERS, into, place, EMBED);
      return VECTOR;
    case 'embedding':
      taking(TOKENS, into, place, 'it needs tokens, which are whole numbers');
      return SEQUENCE;
    case 'positions':
    case 'classToken':
    case 'recurrent':
    case 'recurrentGraph':
      return taking(SEQUENCE, into, place, 'it needs sequences');
    case 'last':
      taking(SEQUENCE, into, place, 'it needs sequences');
      return VECTOR;
    case 'batchNorm':
    case 'layerNorm':
    case 'firstChannels':
    case 'glu':
    case 'activation':
    case 'dropout':
    case 'dropPath':
      return taking(NUMBERS, into, place, EMBED);
    case 'zero':
      return module.stride === 1 || isValueChoice(module.stride)
        ? into
        : taking(SPATIAL, into, place, 'it needs images or sequences if it has a stride');
    case 'sequential':
      return module.children.reduce((ranks, one, i) => ranksOf(one, ranks, `${place}[${i}].`), into);
    case 'stack':
      return module.cells.reduce((ranks, one, i) => ranksOf(one, either(ranks, into), `${place}[${i}].`), into);
    case 'residual':
      return meeting([child(module.body, into, '.body'), child(module.shortcut, into, '.shortcut')], place);
    case 'repeat':
      return repeated(module, into, (ranks) => child(module.body, ranks));
    case 'scope':
    case 'shared':
      return child(module.body, into);
    case 'rows': {
      taking(IMAGE, into, place, 'it reads the rows of an image');
      taking(SEQUENCE, child(module.body, SEQUENCE), place, 'what reads a row must give a sequence');
      return IMAGE;
    }
    case 'auxiliary': {
      const out = child(module.body, into);
      child(module.head, out, '.head');
      return out;
    }
    case 'choice':
      return anyOf(Object.entries(module.options), ([key, option]) => child(option, into, ` "${module.name}" ${key}`));
    case 'dag':
      return ranksOfDag(module, into, place);
    default:
      return into;
  }
}

/** A sequence is taken position by position. */
const LINEAR: Ranks = new Set(['vector', 'sequence']);
const EMBED = 'it takes no tokens: add embedding() before it';

function taking(taken: Ranks, into: Ranks, place: string, rule: string): Ranks {
  const both = shared(into, taken);
  if (both.size === 0) throw new UserError(`${place} gets ${named(into)}; ${rule}`);
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
  if (alike.size === 0) {
    const found = [...branches.reduce(either)]
      .sort()
      .map((rank) => (rank === 'tokens' ? rank : `${rank}s`))
      .join(' and ');
    throw new UserError(`${place} combines ${found}; all its branches must have the same rank`);
  }
  return alike;
}

/** Takes another branch if one cannot be built. Throws the error of the first if none can be. */
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
    const incoming = readsOf(node).flatMap((read) => {
      const over = (from: number) => {
        const edge = read.edges[from];
        return edge === undefined ? into : ranksOf(edge, known[from] ?? into, `${place}.edge ${from}->${to}.`);
      };
      return 'kind' in read.from ? [anyOf(sourcesOf(read), over)] : read.from.map(over);
    });
    const combined = meeting(incoming, `${place}.node ${to}`);
    known.push(ranksOf(node.body, combined, `${place}.node ${to}.`));
  }
  const own = known.slice(entries.length);
  return output === 'last' ? (own.at(-1) ?? into) : meeting(own, place);
}
