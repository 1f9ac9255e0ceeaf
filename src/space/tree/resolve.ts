import { invalid } from '../../common/errors.ts';
import { deepFreeze } from '../../common/json.ts';
import type { Architecture, Space } from '../space.ts';
import { completeChecked } from './architecture.ts';
import { isValueChoice } from './fields.ts';
import type { Module } from './module.ts';
import { childrenOf, walk } from './walk.ts';

/**
 * The network of an architecture: the space's tree with every choice made. A `choice` keeps the chosen option alone,
 * under its key (parameters are named by their path in the tree), `scope` gives way to its body, a repeat whose
 * repetitions decide for themselves becomes a sequence of them, an edge that is not picked becomes zero. Throws
 * UserError when the architecture is no member of the space.
 */
export function resolve(space: Space, architecture: Architecture): Module {
  return deepFreeze(space.members?.build(architecture) ?? completeChecked(space, architecture).root);
}

/**
 * The supernet of a space: its tree with every choice left open, under the full name of its decision. Scopes are gone as
 * in a resolved network, so that each parameter of any architecture's network stands under its path in the supernet too. Throws
 * UserError where the networks of members are not the tree with its choices made.
 */
export function supernet(space: Space): Module {
  if (!hasSupernet(space))
    throw invalid(
      `space "${space.name}"`,
      space.members === undefined
        ? 'has no supernet: how wide an operation is depends on the whole graph'
        : 'has no supernet: its networks are no tree with choices made',
      'train its members one by one',
    );
  return deepFreeze(walk(space, () => undefined).root);
}

/** Whether the networks of members are the space's tree with its choices made, as a supernet needs it. */
export const hasSupernet = ({ membership, members }: Pick<Space, 'membership' | 'members'>): boolean =>
  membership?.network === undefined && members === undefined;

/** The training settings of an architecture. Throws UserError when it is no member of the space. */
export function resolveHyperparameters(
  space: Space,
  architecture: Architecture,
): Record<string, number | string | boolean> {
  if (space.members !== undefined) return {};
  const { hyperparameters } = completeChecked(space, architecture);
  return { ...hyperparameters } as Record<string, number | string | boolean>;
}

/**
 * A resolved network with its widths (channels of convolutions, embeddings, factorized reductions and cuts, units of layers) times
 * `factor`, rounded, at least 1; `'same'` and `'outputs'` stay. A grouped convolution may then no longer divide evenly.
 */
export function scaleWidth(module: Module, factor: number): Module {
  if (!(factor > 0 && Number.isFinite(factor)))
    throw new RangeError(`scaleWidth: factor is ${factor}; must be above 0`);
  return factor === 1 ? module : deepFreeze(scaled(module, factor));
}

function scaled(module: Module, factor: number): Module {
  const width = (value: unknown) => {
    if (isValueChoice(value))
      throw new TypeError(`scaleWidth: width "${value.name}" is left open; resolve the tree first`);
    return typeof value === 'number' ? Math.max(1, Math.round(value * factor)) : value;
  };
  return mapWidths(module, width);
}

/** The module with `width` of each number of channels or units in it; `width` gets what else stands there, such as `same`, too. */
export function mapWidths(module: Module, width: (value: unknown) => unknown): Module {
  switch (module.kind) {
    case 'conv':
    case 'convTranspose':
    case 'factorizedReduce':
      return { ...module, channels: width(module.channels) as number | 'same' };
    case 'embedding':
    case 'firstChannels':
      return { ...module, channels: width(module.channels) as number };
    case 'recurrent':
      return { ...module, units: width(module.units) as number | 'same' };
    case 'recurrentGraph':
      return { ...module, units: width(module.units) as number };
    case 'recurrentCell': {
      const units = width(module.units) as number | 'same';
      return { ...module, units, body: mapWidths(module.body, width) };
    }
    case 'linear':
      return { ...module, units: width(module.units) as number | 'outputs' | 'same' };
    default:
      return childrenOf(module).length === 0 ? module : mapChildren(module, (child) => mapWidths(child, width));
  }
}

/** The same module with other modules directly inside it. */
export function mapChildren(module: Module, change: (child: Module) => Module): Module {
  switch (module.kind) {
    case 'sequential':
      return { ...module, children: module.children.map(change) };
    case 'stack':
      return { ...module, cells: module.cells.map(change) };
    case 'residual':
      return { ...module, body: change(module.body), shortcut: change(module.shortcut) };
    case 'repeat':
    case 'scope':
    case 'shared':
    case 'rows':
    case 'recurrentCell':
      return { ...module, body: change(module.body) };
    case 'auxiliary':
      return { ...module, body: change(module.body), head: change(module.head) };
    case 'choice': {
      const options = Object.entries(module.options).map(([key, option]) => [key, change(option)] as const);
      return { ...module, options: Object.fromEntries(options) };
    }
    case 'dag':
      return {
        ...module,
        entries: module.entries.map(change),
        nodes: module.nodes.map((node) => ({
          ...node,
          edges: node.edges.map(change),
          ...(node.further && { further: node.further.map((read) => ({ ...read, edges: read.edges.map(change) })) }),
          body: change(node.body),
        })),
      };
    default:
      return module;
  }
}
