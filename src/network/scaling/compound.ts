import { invalid, UserError } from '../../common/errors.ts';
import { deepFreeze } from '../../common/json.ts';
import { createGraph } from '../../graph/builder.ts';
import type { Task } from '../../space/space.ts';
import { resize, sequential } from '../../space/tree/builders.ts';
import type { Module } from '../../space/tree/module.ts';
import { mapWidths } from '../../space/tree/resolve.ts';
import { childrenOf } from '../../space/tree/walk.ts';
import { toMultiple } from '../../space/tree/widths.ts';
import { lowerForInference, networkCosts } from '../costs.ts';
import { flattened, type Run, runsOf, withFurther } from './runs.ts';

/** By how much depth, width and the side of the images grow for each step of `phi`. */
export interface Coefficients {
  readonly alpha: number;
  readonly beta: number;
  /** 1 for tasks without images. */
  readonly gamma: number;
}

/** Those of EfficientNet (Tan & Le 2019, section 4). */
export const EFFICIENTNET: Coefficients = { alpha: 1.2, beta: 1.1, gamma: 1.15 };

export interface Scaled {
  readonly network: Module;
  readonly params: number;
  readonly flops: number;
  /** By how much FLOPs should grow, (alpha · beta² · gamma²)^phi, and by how much they do. */
  readonly target: number;
  readonly growth: number;
  /** Blocks that were added to the runs of blocks of the network. */
  readonly blocks: number;
  /** The side that images are resized to, [height, width]. */
  readonly resolution?: readonly [number, number];
}

/** The largest deviation of FLOPs from their target that is accepted without trying finer widths. */
const TOLERANCE = 0.1;
/** Widths are rounded to multiples of the first that reaches the target. */
const DIVISORS = [8, 4, 2, 1] as const;
/** An image's side is divided by no more than this on its way, where halves must add up. */
const SIDE_DIVISORS = [1, 2, 4, 8, 16, 32] as const;

/**
 * Compound scaling (Tan & Le 2019, arXiv:1905.11946, section 3.3) of a network whose choices are made: `alpha^phi` as many blocks,
 * `beta^phi` as many channels, images `gamma^phi` as large on a side. Widths are rounded to multiples of 8 where they are such, images
 * are resized by the network itself. Then as many blocks are added as bring FLOPs near their target, spread over the stages in
 * proportion to the blocks that they have: so rounding does not accumulate, and layers that are not repeated (stem, head) are made up for.
 * Where one block is over a tenth of the FLOPs, the width makes up for what depth cannot.
 * The blocks are copies of the last of their stage. Throws UserError where nothing can be repeated, or the larger network cannot be built.
 * Cost: it lowers the network once for each stage and each divisor that is tried.
 */
export function scaleNetwork(network: Module, task: Task, by: Coefficients, phi: number): Scaled {
  const { alpha, beta, gamma } = checkCoefficients(by, task);
  if (!(phi > 0 && phi <= 20)) throw invalid('phi', String(phi), 'must be above 0 and at most 20');
  const before = networkCosts(network, task).flops;
  const target = (alpha * beta ** 2 * gamma ** 2) ** phi;
  const plain = flattened(network);
  let best: Scaled | undefined;
  let factor = beta ** phi;
  for (const divisor of DIVISORS) {
    const wide = widened(plain, factor, divisor);
    const { root, resolution } = enlarged(wide, task, gamma ** phi);
    const { deep, blocks } = deepened(root, task, alpha ** phi, before * target);
    const { params, flops } = networkCosts(deep, task);
    const growth = flops / before;
    const scaled = { network: deep, params, flops, target, growth, blocks, ...(resolution && { resolution }) };
    if (best === undefined || errorOf(scaled) < errorOf(best)) best = scaled;
    if (errorOf(best) <= TOLERANCE) break;
    // One block is too much and none too little: the width makes up for it.
    factor *= Math.sqrt(target / growth);
  }
  return deepFreeze(best as Scaled);
}

const errorOf = ({ growth, target }: Scaled) => Math.abs(growth / target - 1);

/** Throws UserError for coefficients below 1, and for a gamma without images. */
function checkCoefficients(by: Coefficients, task: Task): Coefficients {
  for (const [name, value] of Object.entries(by))
    if (!(value >= 1 && value <= 4)) throw invalid(name, String(value), 'must be a number from 1 to 4');
  if (task.input.length !== 3 && by.gamma !== 1)
    throw invalid('gamma', String(by.gamma), `must be 1: the input is [${task.input.join(', ')}], not images`);
  return by;
}

/** Numbers of channels and units times `factor`; heads and groups still divide them. */
function widened(root: Module, factor: number, divisor: number): Module {
  if (factor === 1) return root;
  const parts = partsOf(root);
  const width = (value: unknown) => {
    if (typeof value !== 'number') return value;
    const wanted = value % divisor === 0 ? leastCommon(divisor, parts) : parts;
    return toMultiple(value * factor, value % wanted === 0 ? wanted : 1);
  };
  return mapWidths(root, width);
}

/** What widths must be a multiple of, by the heads of attention and the groups of convolutions. */
function partsOf(module: Module): number {
  const own =
    module.kind === 'attention'
      ? Number(module.heads)
      : module.kind === 'conv' && module.groups !== 'depthwise'
        ? Number(module.groups)
        : module.kind === 'glu'
          ? 2
          : 1;
  return childrenOf(module).reduce((parts, child) => leastCommon(parts, partsOf(child)), own);
}

const divisorOf = (a: number, b: number): number => (b === 0 ? a : divisorOf(b, a % b));
const leastCommon = (a: number, b: number): number => (a * b) / divisorOf(a, b);

/** The network with its images resized first; halves of the side add up as they do now. Throws UserError where no size can be built. */
function enlarged(
  root: Module,
  task: Task,
  factor: number,
): { readonly root: Module; readonly resolution?: readonly [number, number] } {
  const [, height = 1, width = 1] = task.input;
  if (factor === 1 || task.input.length !== 3) return { root };
  const children = root.kind === 'sequential' ? root.children : [root];
  const [first, ...others] = children;
  const known = first?.kind === 'resize' && typeof first.factor === 'number' ? first.factor : undefined;
  const kept = known === undefined ? children : others;
  let reason: unknown;
  for (const divisor of SIDE_DIVISORS) {
    const side = Math.max(divisor, Math.round((height * (known ?? 1) * factor) / divisor) * divisor);
    // Sides are rounded down: a little more than the quotient is not one less.
    const share = (side + 1e-6) / height;
    const found = sequential(resize(share, { mode: 'bilinear' }), ...kept);
    try {
      networkCosts(found, task);
      return { root: found, resolution: [side, Math.floor(width * share)] };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      reason ??= error;
    }
  }
  throw reason;
}

/** The network with blocks added until its FLOPs are near `wanted`. */
function deepened(
  root: Module,
  task: Task,
  factor: number,
  wanted: number,
): { readonly deep: Module; readonly blocks: number } {
  if (factor === 1) return { deep: root, blocks: 0 };
  const { flops } = networkCosts(root, task);
  const g = createGraph();
  const { layers } = lowerForInference(g, root, task);
  const shapes = new Map(layers.map(({ path, output }) => [path, g.shape(output)] as const));
  const runs = costed(root, task, runsOf(root, [1, ...task.input], shapes), flops);
  if (runs.length === 0)
    throw new UserError('compound scaling: this network has no block that can be repeated; alpha must be 1');
  const even = runs.map(({ blocks }) => blocks * (factor - 1));
  const counts = even.map((count) => Math.round(count));
  const total = () => runs.reduce((sum, { cost }, i) => sum + cost * (counts[i] ?? 0), flops);
  for (let round = 0; round < 10_000; round++) {
    const off = Math.abs(total() - wanted);
    if (off <= (wanted * TOLERANCE) / 4) break;
    const step = total() < wanted ? 1 : -1;
    // The stage that is furthest behind, or ahead, of its share first.
    const order = runs
      .map((_, i) => i)
      .filter((i) => (counts[i] ?? 0) + step >= 0 && Math.abs(total() + step * (runs[i]?.cost ?? 0) - wanted) < off)
      .toSorted((a, b) => step * (behind(a) - behind(b)));
    const chosen = order[0];
    if (chosen === undefined) break;
    counts[chosen] = (counts[chosen] ?? 0) + step;
  }
  function behind(i: number): number {
    return ((counts[i] ?? 0) - (even[i] ?? 0)) / Math.max(1, runs[i]?.blocks ?? 1);
  }
  return { deep: withFurther(root, runs, counts), blocks: counts.reduce((sum, count) => sum + count, 0) };
}

/** The runs to which a block can be added, with the FLOPs that it costs. */
function costed(
  root: Module,
  task: Task,
  runs: readonly Run[],
  flops: number,
): readonly (Run & { readonly cost: number })[] {
  return runs.flatMap((run) => {
    try {
      const more = networkCosts(withFurther(root, [run], [1]), task).flops - flops;
      const twice = networkCosts(withFurther(root, [run], [2]), task).flops - flops;
      // A block that changes the shape costs what it comes to each time.
      return more > 0 && twice === 2 * more ? [{ ...run, cost: more }] : [];
    } catch (error) {
      if (error instanceof UserError) return [];
      throw error;
    }
  });
}

/** The steps of the grid; beta follows, so that every point doubles FLOPs. */
const GRID = { alpha: [1, 1.2, 1.4], gamma: [1, 1.1, 1.2, 1.3], alphaAlone: [1, 1.2, 1.4, 1.7, 2] } as const;

/** Coefficients with alpha · beta² · gamma² = 2, each at least 1: among which the first step of compound scaling chooses (phi = 1). */
export function coefficientGrid(task: Task): readonly Coefficients[] {
  const isImage = task.input.length === 3;
  const points = (isImage ? GRID.alpha : GRID.alphaAlone).flatMap((alpha) =>
    (isImage ? GRID.gamma : [1]).map((gamma) => ({ alpha, beta: Math.sqrt(2 / (alpha * gamma ** 2)), gamma })),
  );
  return points.filter(({ beta }) => beta >= 1);
}

/** What is taken without a grid search: EfficientNet's coefficients, or without images others that double FLOPs. */
export const usualCoefficients = (task: Task): Coefficients =>
  task.input.length === 3 ? EFFICIENTNET : { alpha: 1.2, beta: 1.29, gamma: 1 };
