import type { NodeId, Shape } from '../graph/ir.ts';
import type { Module } from '../space/tree/module.ts';

/** How a fresh parameter or statistic is filled. */
export type Initializer =
  /** Normal, deviation sqrt(2 / fan) (He et al. 2015). */
  | { readonly kind: 'heNormal'; readonly fan: number }
  /** Uniform in ±sqrt(6 / (fanIn + fanOut)) (Glorot & Bengio 2010). */
  | { readonly kind: 'glorotUniform'; readonly fanIn: number; readonly fanOut: number }
  /** Uniform in ±limit. */
  | { readonly kind: 'uniform'; readonly limit: number }
  | { readonly kind: 'normal'; readonly deviation: number }
  | { readonly kind: 'constant'; readonly value: number };

/** A tensor that a network owns, named by its path in the tree, e.g. `3/1/0->1/conv3/1/weight`. */
export interface Parameter {
  readonly path: string;
  readonly shape: Shape;
  readonly initializer: Initializer;
  /** The graph input that carries it; its name is the path. */
  readonly node: NodeId;
  /** What must be chosen for it to be used, the outermost first; empty outside the options of switches. */
  readonly when: readonly Chosen[];
  /** It belongs to an auxiliary head. */
  readonly isAuxiliary?: true;
  /** What it is for, where a start from another network's weights depends on that (`startingTensors`). */
  readonly role?: Role;
}

/**
 * `tokens`: a row for each token; `positions`: a row for each position; `outputs`: of the last layer; `forward`: of a recurrent layer that
 * reads from the first position to the last.
 */
export type Role = 'tokens' | 'positions' | 'outputs' | 'forward';

/** An output beside the network's own, whose loss counts in training. */
export interface AuxiliaryOutput {
  readonly output: NodeId;
  readonly weight: number;
}

/** An option of a switch. */
export interface Chosen {
  /** The input that chooses, and its name. */
  readonly index: NodeId;
  readonly name: string;
  readonly option: number;
  /** How many options there are. */
  readonly of: number;
}

/** A running statistic: read in inference, moved after a training step. */
export interface Statistic extends Parameter {
  /** For a network in training. */
  readonly move?: Move;
}

/** How a step moves a statistic: to (1 − momentum) · current + momentum · factor · batch. */
export interface Move {
  /** What the batch has, of as many elements as the statistic. */
  readonly batch: NodeId;
  readonly momentum: number;
  readonly factor: number;
}

/** A decision that a supernet leaves open, and its options in order. */
export interface OpenDecision {
  readonly name: string;
  readonly options: readonly string[];
}

/** An input, [], that chooses in a supernet of switches: the number of the option that a decision takes. */
export interface Switch {
  readonly name: string;
  readonly decision: string;
  /** In the order of their numbers; of an edge that the decision may pick, absent and present. */
  readonly options: readonly string[];
  /** The node that the edge comes from. */
  readonly from?: number;
}

/** What a supernet's open decisions weigh, before the softmax: a row for each decision, a column for each option. */
export interface ArchitectureParameter extends Parameter {
  /** The decisions of the rows. */
  readonly decisions: readonly OpenDecision[];
}

/** A random tensor that a training graph wants at each run: uniform in [0, 1), drawn from a seed. */
export interface RandomInput {
  readonly name: string;
  readonly shape: Shape;
  /** It is not drawn: it says how much of the training is done, from 0 to 1. */
  readonly isProgress?: true;
}

/**
 * What a recurrent layer carries from one run to the next, as an exported model or truncated backpropagation does: the value of
 * `output` is fed as the input `name` of the next run, and zeros at first.
 */
export interface CarriedState {
  readonly name: string;
  /** [N, units] */
  readonly shape: Shape;
  readonly input: NodeId;
  readonly output: NodeId;
}

/** What lowering a network leaves in the graph. */
export interface LoweredNetwork {
  /** [N, outputs], or the requested shape: logits, or standardized targets of a regression. */
  readonly output: NodeId;
  /** Of auxiliary heads, if `auxiliary` is requested; otherwise empty, and there are no heads. */
  readonly auxiliary: readonly AuxiliaryOutput[];
  /** Each once, also those that several places share. */
  readonly parameters: readonly Parameter[];
  /** For a supernet; not among `parameters`. */
  readonly architecture: readonly ArchitectureParameter[];
  /** For a supernet whose choices are switches. */
  readonly switches: readonly Switch[];
  readonly statistics: readonly Statistic[];
  readonly randomInputs: readonly RandomInput[];
  /** States of recurrent layers, if `state` is requested; otherwise empty, and they begin with zeros. */
  readonly states: readonly CarriedState[];
  /** Every module, children before their parents, with the node that it ends in. */
  readonly layers: readonly Layer[];
  /** Whether a module mixed positions without knowing which of them are behind the end of a sample, as after a pool without padding. */
  readonly readsPadding: boolean;
}

export interface Layer {
  readonly path: string;
  readonly kind: Module['kind'];
  readonly output: NodeId;
  /** In how many time steps it is computed, where that is more than one; `output` is that of the last. */
  readonly steps?: number;
  /** What must be chosen for it to be computed, the outermost first; empty outside the options of switches. */
  readonly when: readonly Chosen[];
}

/** Costs of one layer: the nodes of one path. */
export interface LayerCosts {
  readonly path: string;
  readonly kind: string;
  readonly output: Shape;
  readonly params: number;
  readonly flops: number;
  readonly activationBytes: number;
}

/** Known before any training; for one sample. FLOPs are multiply-accumulates, as the field counts them. */
export interface Costs {
  readonly params: number;
  readonly flops: number;
  /** Bytes of all activations of the forward pass, float32: what training keeps. */
  readonly activationBytes: number;
}
