/**
 * The small programs between the gradients of second-order DARTS (Liu et al. 2019, equations 7 and 8). The weights move within the
 * state: to the end of a virtual step, to both sides of where they were, and back, bit for bit.
 */
import { createGraph } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { normOf, sgd } from '../train/optimizers.ts';
import type { UpdateSettings } from '../train/program.ts';
import { type GradientGraph, gradientOf, type Scratch, type StateGraph, stateGraph } from './mixture-steps.ts';

/** The distance to each side of a finite difference, in the norm of all weights: 0.01 in the paper. */
export const DISTANCE = 0.01;

/** Added to a norm that may be zero. */
const TINY = 1e-20;

/** The state entry that keeps the weights of a vector while they are elsewhere. */
const baseOf = (name: string): string => `base:${name}`;
/** The state entry of the gradient by an architecture parameter that equation 7 gives. */
export const totalOf = (name: string): string => `total:${name}`;

/** The settings of `sgd` for the virtual step: as in the published code, without clipping. */
function virtualSettings({ optimizer, momentum, nesterov, weightDecay }: UpdateSettings) {
  const own = optimizer === 'sgd' ? { momentum, nesterov } : {};
  return { ...own, weightDecay };
}

/** How far a virtual step moves a weight when its gradient grows by 1, in learning rates. */
export function virtualSlope({ optimizer, momentum, nesterov }: UpdateSettings): number {
  return optimizer === 'sgd' && nesterov ? 1 + momentum : 1;
}

/**
 * The virtual step: keeps the weights, and moves them by their gradients as SGD with the optimizer's momentum and decay would. Of Adam it
 * takes the rate and the decay alone: Adam's own step has no finite derivative where a gradient has always been 0.
 * Scalars: those of SGD.
 */
export function virtualGraph({ trained }: Pick<GradientGraph, 'trained'>, settings: UpdateSettings): StateGraph {
  const g = createGraph();
  const weights = trained.map(({ name, shape }) => ({ path: name, shape, node: ops.input(g, name, shape), when: [] }));
  const gradients = trained.map(({ name, shape }) => ops.input(g, gradientOf(name), shape));
  const { parameters } = sgd.append(g, virtualSettings(settings), weights, gradients);
  const carried = weights.flatMap(({ path, node }, i) => [
    { name: baseOf(path), next: node },
    { name: path, next: parameters[i] as NodeId },
  ]);
  return {
    ...stateGraph(g, {}, carried),
    scratch: trained.map(({ name, shape }) => ({ name: baseOf(name), shape })),
  };
}

/**
 * Moves the weights to `shift` along the gradient in the state, from where they were before the virtual step, and adds up gradients by the
 * architecture: total ← keep · total + (plain + slope · ‖gradient by the weights‖) · gradient by the architecture.
 * Scalars: shift, keep, plain, slope.
 */
export function probeGraph({ trained, architecture }: Pick<GradientGraph, 'trained' | 'architecture'>): StateGraph {
  const g = createGraph();
  const [shift, keep, plain, slope] = ['shift', 'keep', 'plain', 'slope'].map((name) => ops.input(g, name, []));
  const directions = trained.map(({ name, shape }) => ops.input(g, gradientOf(name), shape));
  const norm = normOf(g, directions);
  const step = ops.div(g, shift as NodeId, ops.add(g, norm, ops.constant(g, TINY)));
  const factor = ops.add(g, plain as NodeId, ops.mul(g, slope as NodeId, norm));
  const scratch: Scratch[] = architecture.map(({ path, shape }) => ({ name: totalOf(path), shape }));
  const carried = [
    ...trained.map(({ name, shape }, i) => {
      const moved = ops.mul(g, directions[i] as NodeId, step);
      return { name, next: ops.add(g, ops.input(g, baseOf(name), shape), moved) };
    }),
    ...architecture.map(({ path, shape }) => {
      const kept = ops.mul(g, ops.input(g, totalOf(path), shape), keep as NodeId);
      const added = ops.mul(g, ops.input(g, gradientOf(path), shape), factor);
      return { name: totalOf(path), next: ops.add(g, kept, added) };
    }),
  ];
  return { ...stateGraph(g, {}, carried), scratch };
}
