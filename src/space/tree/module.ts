/**
 * Networks and search spaces as data. A network is a tree of plain frozen objects, the module kinds below. A search
 * space is the same tree with choices left open: a `choice` takes the place of a module, a value choice that of a number or a word,
 * `pickInputs` for wiring. Builders for all of them, with their defaults and checks, are in `builders.ts`.
 *
 * Tensors are [N, C, H, W] (images), [N, C, T] (sequences), [N, F] (features), or int32 [N, T] (tokens); N is the batch.
 */

/** A value of a module's field, or a choice in its place. */
export type Value<T> = T | ValueChoice;

/** A choice in the place of a value. Choices of one name are one decision, so they must have the same domain. */
export type ValueChoice =
  | { readonly kind: 'pick'; readonly name: string; readonly values: readonly (number | string | boolean)[] }
  /** Whole numbers from `min` to `max`, both included; `log`: sampled evenly on a logarithmic scale. */
  | { readonly kind: 'int'; readonly name: string; readonly min: number; readonly max: number; readonly log: boolean }
  | {
      readonly kind: 'float';
      readonly name: string;
      readonly min: number;
      readonly max: number;
      readonly log: boolean;
    };

/** One number for both sides of a window, or [height, width]. A sequence has no height: it takes one number, or [1, length]. */
export type Size = Value<number> | readonly [Value<number>, Value<number>];

/** Which of the earlier nodes of a dag (the first are its inputs) a node reads: `count` different ones. */
export interface InputsChoice {
  readonly kind: 'inputs';
  readonly name: string;
  readonly count: number;
}

export type ActivationFunction = 'relu' | 'relu6' | 'sigmoid' | 'hardSigmoid' | 'tanh' | 'silu' | 'gelu' | 'hardSwish';

/** What a node of a dag reads. */
export interface Read {
  /** The earlier nodes it reads; the first are the dag's inputs. */
  readonly from: readonly number[] | InputsChoice;
  /** The module on the edge from each earlier node: `edges[j]` from node j; as many as there are earlier nodes. */
  readonly edges: readonly Module[];
}

/** A node of a dag combines what comes over its edges, then applies `body`. */
export interface DagNode extends Read {
  readonly combine: 'sum' | 'concat';
  readonly body: Module;
  /**
   * What it reads besides, by edges of their own: so a node can read one earlier node twice, each time through another operation
   * (NASNet). Absent: nothing.
   */
  readonly further?: readonly Read[];
}

/** A node of a `recurrentGraph`. */
export interface RecurrentNode {
  /** A word; the nodes h_new_0, h_new_1, ... are the states after the step. */
  readonly name: string;
  /** blend: of gate, a and b, gate · a + (1 − gate) · b. */
  readonly op: 'linear' | 'sum' | 'product' | 'blend' | 'tanh' | 'sigmoid' | 'leakyRelu';
  /** What it reads: x, the states before the step, h_prev_0, h_prev_1, ..., or other nodes. */
  readonly from: readonly string[];
}

export type DagOutput = 'last' | 'concat' | 'loose' | 'mean' | 'looseMean';

export type Module =
  /**
   * Convolution of images or sequences; zero padding dilation·⌊(kernel−1)/2⌋ on each side. Weight [O, I/groups, kH, kW]; of a
   * sequence, kH is 1. Padding 'causal', of sequences: dilation·(kernel−1) zeros before, so that no position sees a later one.
   */
  | {
      readonly kind: 'conv';
      /** Output channels; 'same': as many as come in. */
      readonly channels: Value<number> | 'same';
      /** With 'same': this many times as many as come in, rounded, at least 1 (an expansion); otherwise 1. */
      readonly multiple: Value<number>;
      readonly kernel: Size;
      readonly stride: Size;
      readonly dilation: Size;
      /** 'depthwise': as many groups as channels come in. */
      readonly groups: Value<number> | 'depthwise';
      readonly bias: boolean;
      readonly padding: 'half' | 'causal';
    }
  /**
   * Transposed convolution of images or sequences: the output is exactly `stride` times as large. kernel ≥ stride; of the
   * kernel−stride pixels that are cut, ⌊half⌋ are cut before. Weight [I, O, kH, kW], as in PyTorch.
   */
  | {
      readonly kind: 'convTranspose';
      readonly channels: Value<number> | 'same';
      readonly kernel: Size;
      readonly stride: Size;
      readonly bias: boolean;
    }
  /**
   * Images or sequences in another size, as PyTorch's `interpolate` does with align_corners=False. Sides are multiplied by
   * `factor` and rounded down, at least 1; 'input': the size of the network's input.
   */
  | {
      readonly kind: 'resize';
      readonly mode: Value<'nearest' | 'bilinear'>;
      readonly factor: Value<number> | 'input';
    }
  /** Batch normalization over all but the channels (Ioffe & Szegedy 2015); running mean and unbiased variance as in PyTorch. */
  | { readonly kind: 'batchNorm'; readonly affine: boolean; readonly momentum: number; readonly epsilon: number }
  /**
   * Layer normalization (Ba et al. 2016), with a weight and a bias for each channel or feature (affine; without `bias` the weight
   * alone). all: over all axes but N; channel: over the channels at each position, as in transformers.
   */
  | {
      readonly kind: 'layerNorm';
      readonly affine: boolean;
      readonly bias: boolean;
      readonly epsilon: number;
      readonly axes: Value<'all' | 'channel'>;
    }
  | { readonly kind: 'activation'; readonly fn: Value<ActivationFunction> }
  /**
   * Gated linear unit (Dauphin et al. 2017; Shazeer 2020, "GLU variants improve transformer"): of 2·C channels the first C, each
   * times `fn` of one of the others. [N, 2·C, ...] -> [N, C, ...]
   */
  | { readonly kind: 'glu'; readonly fn: Value<ActivationFunction> }
  /** Pooling of images or sequences; padding as given. Average pooling does not count it (`count_include_pad=False`). */
  | {
      readonly kind: 'pool';
      readonly op: Value<'max' | 'average'>;
      readonly kernel: Size;
      readonly stride: Size;
      /** 'half': ⌊(kernel−1)/2⌋. */
      readonly padding: number | 'half' | readonly [number, number];
    }
  /** [N, C, H, W] or [N, C, T] -> [N, C] */
  | { readonly kind: 'globalPool'; readonly op: Value<'max' | 'average'> }
  /** [N, C, T] -> [N, C]: the last position that a sample has, or (start) the first. */
  | { readonly kind: 'last'; readonly at: 'end' | 'start' }
  /**
   * [N, F] -> [N, units], and [N, C, T] -> [N, units, T], each position separately; 'outputs': as many as the task has (classes,
   * or targets of a regression); 'same': `multiple` times as many as come in, rounded. Weight [O, I].
   */
  | {
      readonly kind: 'linear';
      readonly units: Value<number> | 'outputs' | 'same';
      /** With 'same'; otherwise 1. */
      readonly multiple: Value<number>;
      readonly bias: boolean;
    }
  | { readonly kind: 'flatten' }
  /** [N, C, ...] -> [N, channels, ...]: the first channels, and zeros where there are fewer. */
  | { readonly kind: 'firstChannels'; readonly channels: Value<number> }
  /**
   * Tokens, int32 [N, T], to vectors, [N, channels, T]; tokens are 0 to vocabulary−1. 'inputs': the vocabulary of the task.
   * Weight [vocabulary, channels].
   */
  | {
      readonly kind: 'embedding';
      readonly vocabulary: Value<number> | 'inputs';
      readonly channels: Value<number>;
      /** Rate at which whole tokens are dropped in training, everywhere in a batch at once (Gal & Ghahramani 2016, section 4.2). */
      readonly dropout: Value<number>;
    }
  /**
   * Adds to each position of [N, C, T] its own vector: learned, weight [length, C], or sines and cosines (Vaswani et al.
   * 2017, section 3.5). `length` is the longest sequence that a learned one can take; 'input': the length of the input.
   */
  | {
      readonly kind: 'positions';
      readonly encoding: Value<'learned' | 'sinusoidal'>;
      readonly length: number | 'input';
    }
  /**
   * An image as a sequence of its patches, [N, C, H, W] -> [N, C·size², T], row by row (Dosovitskiy et al. 2021): a channel, its rows and
   * the pixels of a row are together, as in the weight of a convolution. Zeros below and to the right make sides multiples of `size`.
   */
  | { readonly kind: 'patches'; readonly size: Value<number> }
  /** A learned position before the first, [N, C, T] -> [N, C, T+1] (Devlin et al. 2019). Weight [C]. */
  | { readonly kind: 'classToken' }
  /**
   * Adds to the features of a table, [N, F], the piecewise linear encoding of those that are numbers (Gorishniy et al. 2022, "On
   * embeddings for numerical features in tabular deep learning", section 3.2): up to `bins` features for each, which rise from 0 to 1
   * between two quantiles of its values. 0 bins: none. It stands first in a network, and adds nothing where quantiles are not known.
   */
  | { readonly kind: 'piecewiseLinear'; readonly bins: Value<number> }
  /**
   * Multi-head self-attention, [N, C, T] -> [N, C, T] (Vaswani et al. 2017); of images, pixels are the positions. C is
   * divisible by `heads`. causal: no position sees a later one. window: it sees positions less than `window` away. relative: each head
   * adds a number of its own for how far away a position is, along each side (Liu et al. 2021, Swin, section 3.2). Weights qkv [3·C, C] and
   * out [C, C]; relative [(2·H−1)·(2·W−1), heads], of sequences [2·T−1, heads].
   */
  | {
      readonly kind: 'attention';
      readonly heads: Value<number>;
      readonly causal: boolean;
      readonly window: Value<number> | 'all';
      readonly relative: boolean;
      /** Dropout rate of the attention weights. */
      readonly dropout: Value<number>;
      readonly bias: boolean;
    }
  /**
   * A recurrent layer, [N, C, T] -> [N, units, T], unrolled over the T of the graph. Gates and their order are PyTorch's:
   * input/weight [G·units, C], hidden/weight [G·units, units], and a bias for each; G is 1 (rnn, with tanh), 3 (gru: r, z, n) or
   * 4 (lstm: i, f, g, o). It begins with zeros, or with a state that is fed.
   */
  | {
      readonly kind: 'recurrent';
      readonly cell: Value<'rnn' | 'gru' | 'lstm'>;
      readonly units: Value<number> | 'same';
      /** Rate at which hidden/weight is dropped in training, one draw for all steps (Merity et al. 2018, "weight-dropped LSTM"). */
      readonly weightDrop: Value<number>;
      /** Whether it reads from the last position to the first; outputs stay at their positions. */
      readonly reverse: boolean;
    }
  /**
   * A recurrent layer whose cell is made of modules, [N, C, T] -> [N, units, T], unrolled over the T of the graph: the frame of the
   * cells of ENAS and DARTS. At each step [c, a] = W [x; h], and the next h is body(h + σ(c) · (tanh(a) − h)). `body` keeps
   * [N, units]; its parameters, and its random numbers too, are the same at all steps, so dropout in it has one mask over time (Gal &
   * Ghahramani 2016); running statistics move by their mean over the steps. Weights input/weight [2·units, C] and hidden/weight
   * [2·units, units], without biases. It begins with zeros, or with a state that is fed.
   */
  | {
      readonly kind: 'recurrentCell';
      readonly units: Value<number> | 'same';
      /** Dropout rate of h where it meets W, one mask over time. */
      readonly dropout: Value<number>;
      readonly body: Module;
    }
  /**
   * A recurrent layer whose cell is a graph of vectors, [N, C, T] -> [N, units, T], unrolled over the T of the graph: the cells of
   * NAS-Bench-NLP (Klyuchnikov et al. 2022). At each step its nodes make the next states of x and the states before; the first state is
   * the output. `linear` is the sum of a product for each of its inputs, NODE/K/weight [units, C or units], and one bias,
   * NODE/bias. It begins with zeros, or with states that are fed.
   */
  | { readonly kind: 'recurrentGraph'; readonly units: Value<number>; readonly nodes: readonly RecurrentNode[] }
  /**
   * Between what it reads and a function of that, by a gate (Srivastava et al. 2015): x + σ(c) · (fn(a) − x) with [c, a] = W x, of features
   * [N, F], or of sequences at each position. Weight [2·F, F], no bias.
   */
  | {
      readonly kind: 'highway';
      readonly fn: Value<ActivationFunction | 'identity'>;
      /** Dropout rate of x where it meets W. */
      readonly dropout: Value<number>;
    }
  /**
   * Zeroes each element with probability `rate` and divides the rest by 1 − rate; identity when not training. over 'channels': one
   * draw for each channel of a sample, the same at all positions (variational dropout: Gal & Ghahramani 2016).
   */
  | { readonly kind: 'dropout'; readonly rate: Value<number>; readonly over: 'elements' | 'channels' }
  /**
   * Zeroes each sample with probability `rate` and divides the rest by 1 − rate (stochastic depth). growing: the probability grows
   * linearly from 0 in the first epoch of a training towards `rate` in the last (Zoph et al. 2018: scheduled drop path).
   */
  | { readonly kind: 'dropPath'; readonly rate: Value<number>; readonly growing: boolean }
  | { readonly kind: 'identity' }
  /** All zeros, of the input's shape (spatially divided by `stride`, rounded up). */
  | { readonly kind: 'zero'; readonly stride: Value<number> }
  | { readonly kind: 'sequential'; readonly children: readonly Module[] }
  /** body(x) + shortcut(x) */
  | { readonly kind: 'residual'; readonly body: Module; readonly shortcut: Module }
  /**
   * Weight tying: parameters inside `body` are named `shared/NAME/...`, so that all uses of one name read the same tensors.
   * Running statistics, random numbers and states stay each place's own.
   */
  | { readonly kind: 'shared'; readonly name: string; readonly body: Module }
  /**
   * `body`, and an auxiliary classifier on what it puts out (Szegedy et al. 2015): a training adds `weight` times the loss of the
   * head's output to its own. The head ends as the network does; it is no part of the network beyond its training.
   */
  | { readonly kind: 'auxiliary'; readonly body: Module; readonly head: Module; readonly weight: number }
  /** [N, C, H, W] -> [N, C', H, W']: `body` reads each row of an image as a sequence, [N·H, C, W] -> [N·H, C', W']. */
  | { readonly kind: 'rows'; readonly body: Module }
  /** `body`, `times` in a row, with weights of their own. */
  | { readonly kind: 'repeat'; readonly times: Value<number>; readonly body: Module }
  /**
   * A cell. Its first nodes, 0 to E−1, are its inputs, each passed through its entry; `nodes` follow, from number E on.
   * Output: the last node; or all nodes after the inputs, or those of them that no node reads: concatenated along the channels (concat,
   * loose), or their mean (mean, looseMean). Of E entries the last reads the dag's input; what those before it read, see `stack`.
   */
  | {
      readonly kind: 'dag';
      /** At least 1; the identity for an unchanged input. */
      readonly entries: readonly Module[];
      readonly nodes: readonly DagNode[];
      readonly output: Value<DagOutput>;
    }
  /**
   * Cells in a row. Each reads the output of the one before; a dag of E entries reads the outputs of the last E cells, the
   * oldest first (DARTS: two), and the stack's input in place of missing ones.
   */
  | { readonly kind: 'stack'; readonly cells: readonly Module[] }
  /**
   * x · gate(expand(fn(squeeze(mean(x))))), squeezed to C · ratio channels (Hu et al. 2018, with ReLU and sigmoid), rounded as
   * `toMultiple` does.
   */
  | {
      readonly kind: 'squeezeExcite';
      readonly ratio: Value<number>;
      readonly fn: Value<ActivationFunction>;
      readonly gate: Value<'sigmoid' | 'hardSigmoid'>;
      /** What the squeezed channels are a multiple of. */
      readonly divisor: number;
    }
  /** ReLU, two 1x1 convolutions of stride 2, one of them shifted by a pixel, concatenated, batch norm (DARTS). */
  | { readonly kind: 'factorizedReduce'; readonly channels: Value<number> | 'same'; readonly affine: boolean }
  /** One of the options; a decision whose value is the option's key. */
  | { readonly kind: 'choice'; readonly name: string; readonly options: Readonly<Record<string, Module>> }
  /**
   * Names inside `body` get the prefix `name/`, or `name/i/`, `name/i/j/` with the index of each repeat between the next
   * scope outside and this one, so that each repetition decides for itself. About names of decisions alone: `resolve`
   * takes scopes away, and paths of parameters do not show them.
   */
  | { readonly kind: 'scope'; readonly name: string; readonly body: Module };
