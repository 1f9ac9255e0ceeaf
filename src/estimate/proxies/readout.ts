/** A proxy that is read out of a network's graph. */
import type { DatasetInfo } from '../../data/dataset.ts';
import type { HostTensor, NodeId } from '../../graph/ir.ts';
import type { ProxyContext } from './context.ts';

/** The score of a network whose output does not depend on its input, where a formula has no number for it. */
export const DEAD = -1e9;

/** Appends what a proxy needs to the graph of a network in training on a batch of images, and makes a score of what comes out. */
export interface Readout {
  /** Outputs by names of their own. `loss` is [], the mean cross-entropy of the batch (or squared error). */
  append(context: ProxyContext, loss: NodeId): Readonly<Record<string, NodeId>>;
  /** Larger is better; always finite. */
  score(results: Readonly<Record<string, HostTensor>>, info: DatasetInfo): number;
}

/** A number that came back, [] or [1]. */
export function numberOf(results: Readonly<Record<string, HostTensor>>, name: string): number {
  const value = results[name]?.data[0];
  if (value === undefined) throw new Error(`the program did not return "${name}"`);
  return value;
}

/** A score, if it is a finite number. */
export const finite = (score: number): number => (Number.isFinite(score) ? score : DEAD);
