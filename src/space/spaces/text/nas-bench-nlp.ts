import { UserError } from '../../../common/errors.ts';
import type { Rng } from '../../../common/random.ts';
import type { Architecture } from '../../architecture.ts';
import type { OpenMembers, Space, Task } from '../../space.ts';
import { embedding, last, linear, recurrentGraph, sequential, shared } from '../../tree/builders.ts';
import { defineOpenSpace } from '../../tree/define.ts';
import type { Module, RecurrentNode } from '../../tree/module.ts';
import { changedNodes, crossedNodes, randomNodes } from './nlp-moves.ts';
import { expressionsOf, formatRecipe, parseRecipe, publishedNodes, type Recipe, recipeOf } from './nlp-recipe.ts';

interface Options {
  readonly layers: number;
  readonly embedding: number;
  readonly hidden: number;
  readonly nodes: number;
  readonly tied: boolean;
}

/** Attempts to draw a move that changes the cell. */
const MOST_DRAWS = 200;
/** Of the listed cells, how many of the most similar a mutation draws from. */
const NEAREST = 10;

/**
 * The recurrent cells of NAS-Bench-NLP (Klyuchnikov et al. 2022, arXiv:2006.07116): graphs of linear layers, activations, sums, products and
 * blends of x and 1 to 16 states. Without limit but for `nodes`. A member is written `h_new_0=tanh(n0) n0=linear(h_prev_0,x)`, in any order;
 * published recipes (JSON of nodes) are read, too.
 *
 * The network is the benchmark's: an embedding, three layers of the cell, 600 units, the last of them of the embedding's size, whose output
 * layer is tied to it. Tokens with an answer at each position; with one answer, the last position is classified.
 *
 * Differs: no dropout, which the benchmark has of words, inputs, between layers and of weights. Random cells and moves (nlp-moves.ts) are not
 * the authors' procedure.
 */
export const nasBenchNlp = defineOpenSpace('nas-bench-nlp', (task, options) => membersOf(task, options), {
  description: 'recurrent cells as graphs of any operations, for text (Klyuchnikov et al. 2022); unlimited',
  defaults: {
    layers: { default: 3, whole: true, min: 1, max: 16 },
    embedding: { default: 400, whole: true, min: 1, max: 65_536 },
    hidden: { default: 600, whole: true, min: 1, max: 65_536 },
    nodes: { default: 24, whole: true, min: 4, max: 100 },
    tied: true,
  },
});

function membersOf(task: Task, options: Options): OpenMembers {
  if (task.vocabulary === undefined) throw new UserError(`input is [${task.input}]; must be tokens`);
  const place = 'architecture of space "nas-bench-nlp"';
  const checked = new WeakSet<object>();
  const own = (nodes: unknown): Recipe => {
    const recipe = recipeOf(nodes, options.nodes, place);
    checked.add(recipe);
    return recipe;
  };
  function check(found: unknown): Recipe {
    if (typeof found !== 'object' || found === null || Array.isArray(found))
      throw new UserError(
        `${place}: is ${JSON.stringify(found)?.slice(0, 60)}; must be { nodes }, or a published recipe`,
      );
    if (checked.has(found)) return found as Recipe;
    const { nodes, ...others } = found as Readonly<Record<string, unknown>>;
    return own(Array.isArray(nodes) && Object.keys(others).length === 0 ? nodes : publishedNodes(found, place));
  }
  /** The first of some draws that is a cell, and not one of `others`. */
  function drawn(draw: () => readonly RecurrentNode[], ...others: readonly Recipe[]): Recipe | undefined {
    const known = others.map(formatRecipe);
    for (let i = 0; i < MOST_DRAWS; i++) {
      try {
        const found = own(draw());
        if (!known.includes(formatRecipe(found))) return found;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
      }
    }
    return undefined;
  }

  return {
    check,
    sample: (rng) => drawn(() => randomNodes(rng)) ?? own(SIMPLEST),
    mutate: (architecture, rng) => {
      const parent = check(architecture);
      const child = drawn(() => changedNodes(parent, rng), parent) ?? drawn(() => randomNodes(rng), parent);
      if (child === undefined) throw new UserError(`${place}: no other cell was found`);
      return child;
    },
    crossover(a, b, rng) {
      const [one, other] = [check(a), check(b)];
      if (formatRecipe(one) === formatRecipe(other)) return one;
      return drawn(() => crossedNodes(one, other, rng), one, other) ?? one;
    },
    format: (architecture) => formatRecipe(check(architecture)),
    parse: (text) => own(parseRecipe(text, place)),
    build: (architecture) => networkOf(check(architecture), task, options),
  };
}

/** The Elman network. */
const SIMPLEST: readonly RecurrentNode[] = [
  { name: 'n0', op: 'linear', from: ['h_prev_0', 'x'] },
  { name: 'h_new_0', op: 'tanh', from: ['n0'] },
];

function networkOf({ nodes }: Recipe, task: Task, { layers, embedding: channels, hidden, tied }: Options): Module {
  const isTied = tied && task.positions !== undefined && task.outputs === task.vocabulary;
  const words = embedding('inputs', channels);
  const cells = Array.from({ length: layers }, (_, i) =>
    recurrentGraph(isTied && i === layers - 1 ? channels : hidden, nodes),
  );
  if (isTied) return sequential(shared('tokens', words), ...cells, shared('tokens', linear('outputs')));
  return sequential(words, ...cells, ...(task.positions === undefined ? [last()] : []), linear('outputs'));
}

/**
 * The space with these members alone, such as the cells of a table: a random one is one of them, a mutation one of the 10 most similar, and
 * a child one that is most similar to both parents. Cells are as similar as the share of what their nodes compute that they have in common.
 */
export function listedCells(space: Space, listed: readonly Architecture[]): Space {
  const { members } = space;
  if (members === undefined) throw new TypeError(`space "${space.name}" has decisions`);
  const byText = new Map(listed.map((one) => [members.format(one), members.check(one)]));
  const rows = [...byText].map(([text, cell]) => ({ text, cell, parts: expressionsOf(cell as Recipe) }));
  const partsOf = new Map(rows.map(({ text, parts }) => [text, parts]));
  const nearest = (texts: readonly string[], count: number) => {
    const wanted = texts.map((text) => partsOf.get(text) ?? new Set<string>());
    const distance = (parts: ReadonlySet<string>) => wanted.reduce((sum, one) => sum + 1 - likeness(one, parts), 0);
    return rows
      .filter(({ text }) => !texts.includes(text))
      .map(({ cell, parts }) => ({ cell, far: distance(parts) }))
      .toSorted((a, b) => a.far - b.far)
      .slice(0, count)
      .map(({ cell }) => cell);
  };
  const check = (found: unknown) => {
    const cell = byText.get(members.format(members.check(found)));
    if (cell !== undefined) return cell;
    throw new UserError(
      `architecture of space "${space.name}": ${members.format(members.check(found))}; is not listed`,
    );
  };
  return Object.freeze({
    ...space,
    members: Object.freeze({
      ...members,
      check,
      sample: (rng: Rng) => rng.pick(rows).cell,
      mutate: (architecture: Architecture, rng: Rng) => rng.pick(nearest([members.format(architecture)], NEAREST)),
      crossover(a: Architecture, b: Architecture) {
        const [one, other] = [members.format(a), members.format(b)];
        return one === other ? check(a) : (nearest([one, other], 1)[0] ?? check(a));
      },
      parse: (text: string) => check(members.parse(text)),
    }),
  });
}

/** How many of all that two sets have are in both (Jaccard). */
function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const both = [...a].filter((one) => b.has(one)).length;
  return both / Math.max(1, a.size + b.size - both);
}
