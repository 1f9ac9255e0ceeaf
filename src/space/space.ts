import type { OptionRule } from '../common/option-rules.ts';
import type { Architecture, TreeArchitecture } from './architecture.ts';
import type { Members } from './members.ts';
import type { Module, Value } from './tree/module.ts';

export type { Architecture, DecisionValue, TreeArchitecture } from './architecture.ts';

/** What the network is for. Shapes are without the batch. */
export interface Task {
  readonly kind: string;
  /** [C, H, W], [C, T], [F], or of tokens [T]. */
  readonly input: readonly number[];
  /** Classes, or targets of a regression; where there are positions, values at each of them. */
  readonly outputs: number;
  /** The network gives [outputs, ...positions]: [H, W] of a class for each pixel, [T] of a token for each time step. */
  readonly positions?: readonly number[];
  /** The input is tokens, int32, of which there are this many. */
  readonly vocabulary?: number;
  /** Token 0 fills the positions behind the last one that a sample has; networks do not read them. */
  readonly padded?: true;
  /** Of a policy: whether the last output is the value of the state, and whether the others are means and deviations of actions. */
  readonly head?: { readonly value: boolean; readonly deviations: boolean };
  /** Of an environment: `EnvironmentInfo.largest`. */
  readonly largest?: readonly number[];
  /** Of a table: for each feature, `DatasetInfo.quantiles`. */
  readonly quantiles?: readonly (readonly number[])[];
}

/** Values of a space's own options, e.g. `{ cells: 5, channels: 16 }`. */
export type SpaceOptions = Readonly<Record<string, number | string | boolean>>;

/**
 * Training settings that a space leaves open, by the name that `train/settings.ts` gives them; they override the
 * study's own. Each is a decision like any other.
 */
export type Hyperparameters = Readonly<Record<string, Value<number> | Value<string>>>;

/**
 * A search space for one task: a tree with choices left open, or (`members`) networks of another form. Pure data but for `text`,
 * `membership` and `members`.
 */
export interface Space {
  readonly name: string;
  readonly task: Task;
  readonly options: SpaceOptions;
  readonly root: Module;
  readonly hyperparameters: Hyperparameters;
  /** The space's own notation of an architecture, where it has one; without it, `name=value, name=value`. */
  readonly text?: TextForm;
  /** By decision: what is left of its domain under constraints (`constrained`). */
  readonly domains?: Readonly<Record<string, Domain>>;
  /** What decides, beside the tree, which architectures are members. Absent: each that makes all decisions is one, and no two are the same. */
  readonly membership?: Membership;
  /** Members that no choices describe. Then `root` has none: there are no decisions, and no supernet. */
  readonly members?: OpenMembers;
}

/**
 * Networks of a form of their own, such as genomes of layers: everything that a tree derives from its choices. Only spaces of Netsmith
 * have them: a stored study has their name, and is read without code of a user's own.
 */
export type OpenMembers = Members & Required<Pick<Members, 'build'>>;

/** What is needed of a space to make its choices. */
export type OpenTree = Pick<Space, 'root' | 'hyperparameters' | 'domains' | 'membership'>;

/**
 * Rules that the choices of a tree cannot express, such as "at most 9 edges". All that makes architectures keeps them: random draws
 * draw again, others are repaired. Each function is pure and takes an architecture that makes all active decisions of the tree.
 */
export interface Membership {
  /** Why it is no member; undefined: it is one. */
  refusal(
    architecture: TreeArchitecture,
    tree: OpenTree,
  ): { readonly found: string; readonly rule: string } | undefined;
  /** A member that is similar to one that is none. */
  repair(architecture: TreeArchitecture, tree: OpenTree): TreeArchitecture;
  /** The member that stands for this one: equal for two members exactly if they are the same network. */
  canonical(architecture: TreeArchitecture, tree: OpenTree): TreeArchitecture;
  /**
   * The decision up to which the values, in the order of the walk, rule out every canonical member: enumeration goes on from there.
   * Undefined: no such decision is known.
   */
  deadEnd?(architecture: TreeArchitecture, tree: OpenTree): string | undefined;
  /** The network of a canonical member, where the tree with its choices made is not yet that. */
  network?(architecture: TreeArchitecture): Module;
  /** Whether the value of a decision has an effect. Absent: each has. */
  counts?(architecture: TreeArchitecture, decision: string): boolean;
  /** Why no constraint may name one decision, if the members of one network take its value by different decisions. */
  readonly unnamed?: string;
  /** How many members there are; undefined: it is not known. */
  size?(space: Space): bigint | undefined;
}

export interface TextForm {
  format(architecture: Architecture): string;
  /** Throws UserError when the text is malformed. */
  parse(text: string, tree?: OpenTree): Architecture;
}

/** An architecture that a paper has published. */
export interface Published {
  /** In the notation of its space. */
  readonly text: string;
  /** Authors, year and arXiv number. */
  readonly paper: string;
  /** The file that it is from. */
  readonly source: string;
  /** What the paper itself says, of networks in its own skeleton, trained on CIFAR-10 (`mobilenet`: top-1 on ImageNet; `rnn-cell`: perplexity on Penn Treebank); `params` is rounded. Absent: nothing of this network. */
  readonly quoted?: { readonly params: number; readonly testError: string };
  /** Options of the space that it needs. */
  readonly options?: SpaceOptions;
}

/** Published architectures by name, and the options of the space that their sizes are compared with. */
export interface PublishedArchitectures {
  readonly architectures: Readonly<Record<string, Published>>;
  readonly options: SpaceOptions;
  /** The task that their sizes are compared for; by default color images of 32x32 and 10 classes. */
  readonly task?: Task;
}

/** Training settings, as `train/settings.ts` names them. */
export interface UsualTraining {
  readonly optimizer: 'sgd' | 'adamw';
  readonly learningRate: number;
  readonly weightDecay: number;
}

/** A space before the task is known. Made by `defineSpace`. */
export interface SpaceDefinition {
  readonly name: string;
  readonly description: string;
  /** The options that it takes, with their defaults. */
  readonly defaults: SpaceOptions;
  /** What each option may be, in the same order. */
  rules?(): readonly OptionRule[];
  /** Throws UserError for an unknown option, one of another type than the default, or a task that it cannot serve. */
  create(task: Task, options?: SpaceOptions): Space;
  /**
   * Members that people designed, by name, the best for a short time first; a search tries them before its own. Throws as `create`
   * does.
   */
  handDesigned?(task: Task, options?: SpaceOptions): Readonly<Record<string, Architecture>>;
  /** Members that papers have published; the text form takes their names. */
  readonly published?: PublishedArchitectures;
  /** What its networks are trained with by `run`, where that is not what the data's kind of input suggests. */
  readonly training?: UsualTraining;
}

export type Domain =
  | {
      readonly kind: 'values';
      readonly values: readonly (number | string | boolean)[];
      /** How often each is drawn, by comparison with the others. Absent: all alike. */
      readonly weights?: readonly number[];
    }
  | { readonly kind: 'int' | 'float'; readonly min: number; readonly max: number; readonly log: boolean }
  /** `count` of the nodes 0 .. from-1, or of those `among` them. */
  | { readonly kind: 'inputs'; readonly from: number; readonly count: number; readonly among?: readonly number[] };

/** A condition on the value of an earlier decision. */
export type Condition =
  | { readonly decision: string; readonly is: string }
  /** The value is a number greater than this (a repeat that goes that far). */
  | { readonly decision: string; readonly above: number }
  /** The chosen inputs include this node. */
  | { readonly decision: string; readonly includes: number };

/** One thing to decide. Active where any one of `when` holds in all its conditions; `[[]]`: always. */
export interface Decision {
  readonly name: string;
  readonly domain: Domain;
  readonly when: readonly (readonly Condition[])[];
}
