/** Where a network can be made deeper: runs of blocks in a row whose outputs have one shape, as the stages of a convolutional network. */
import type { Shape } from '../../graph/ir.ts';
import { residual, sequential } from '../../space/tree/builders.ts';
import type { Module } from '../../space/tree/module.ts';
import { mapChildren } from '../../space/tree/resolve.ts';
import { childrenOf } from '../../space/tree/walk.ts';

/** Blocks in a row. */
export interface Run {
  /** The path of the module that holds them. */
  readonly holder: string;
  /** The child after which further blocks stand. */
  readonly after: number;
  readonly blocks: number;
  /** A further block: it reads and puts out the run's shape. */
  readonly further: Module;
}

/** Modules by path, and what they put out. */
export type Shapes = ReadonlyMap<string, Shape>;

const WEIGHTED: ReadonlySet<Module['kind']> = new Set([
  ...([
    'conv',
    'convTranspose',
    'linear',
    'attention',
    'recurrent',
    'recurrentCell',
    'recurrentGraph',
    'highway',
  ] as const),
]);
const NONLINEAR: ReadonlySet<Module['kind']> = new Set([
  ...([
    'activation',
    'glu',
    'attention',
    'recurrent',
    'recurrentCell',
    'recurrentGraph',
    'highway',
    'factorizedReduce',
  ] as const),
]);
/** They belong to the layer before them. */
const LIGHT: ReadonlySet<Module['kind']> = new Set([
  ...(['activation', 'glu', 'batchNorm', 'layerNorm', 'dropout', 'dropPath', 'identity', 'squeezeExcite'] as const),
]);

/**
 * The network without choices, all of which are made, and without sequences that only group blocks of one form. Such groups
 * and their parent hold the same run.
 */
export function flattened(module: Module): Module {
  if (module.kind === 'scope') return flattened(module.body);
  if (module.kind === 'choice') {
    const [only] = Object.values(module.options);
    return only === undefined ? module : flattened(only);
  }
  const inside = mapChildren(module, flattened);
  if (inside.kind !== 'sequential') return inside;
  const children = inside.children.flatMap((child) => (isGroup(child) ? child.children : [child]));
  return { ...inside, children: children.filter(({ kind }) => kind !== 'identity') };
}

function isGroup(module: Module): module is Extract<Module, { kind: 'sequential' }> {
  if (module.kind !== 'sequential' || !module.children.every(isBlock)) return false;
  return new Set(module.children.map((child) => formOf(coreOf(child)))).size <= 1;
}

/** What a shortcut goes around. */
const coreOf = (module: Module): Module =>
  module.kind === 'residual' && module.shortcut.kind === 'identity' ? coreOf(module.body) : module;

/** Its kinds, without sizes. */
const formOf = (module: Module): string => `${module.kind}(${childrenOf(module).map(formOf).join()})`;

const some = (module: Module, holds: (one: Module) => boolean): boolean =>
  holds(module) || childrenOf(module).some((child) => some(child, holds));

function isBlock(module: Module): boolean {
  return (
    childrenOf(module).length > 0 &&
    some(module, ({ kind }) => WEIGHTED.has(kind)) &&
    some(module, ({ kind }) => NONLINEAR.has(kind))
  );
}

/** Whether a pixel of the output depends on several of the input. */
const mixesPositions = (modules: readonly Module[]): boolean =>
  modules.some((module) =>
    some(module, (one) => one.kind === 'attention' || (one.kind === 'conv' && String(one.kernel) !== '1')),
  );

/** Children of a holder that are one block: from `from` to `to`, included. */
interface Unit {
  readonly from: number;
  readonly to: number;
  readonly modules: readonly Module[];
  readonly blocks: number;
}

const within = (path: string, child: number) => (path === '' ? String(child) : `${path}/${child}`);

/** The runs of a flattened network. Those whose further block does not fit are for the caller to find out. */
export function runsOf(root: Module, input: Shape, shapes: Shapes): readonly Run[] {
  return root.kind === 'sequential' || root.kind === 'stack' ? runsWithin(root, '', input, shapes) : [];
}

function runsWithin(
  holder: Extract<Module, { kind: 'sequential' | 'stack' }>,
  path: string,
  input: Shape,
  shapes: Shapes,
): readonly Run[] {
  const children = holder.kind === 'stack' ? holder.cells : holder.children;
  const shapeAfter = (child: number) => (child < 0 ? input : (shapes.get(within(path, child)) ?? input));
  const found: Run[] = [];
  let row: Unit[] = [];
  const end = () => {
    const [first] = row;
    const last = row.at(-1);
    if (first && last) {
      const blocks = row.reduce((sum, unit) => sum + unit.blocks, 0);
      const further = furtherOf(last);
      found.push({ holder: path, after: last.to, blocks, further });
    }
    row = [];
  };
  for (let child = 0; child < children.length; child++) {
    const module = children[child] as Module;
    const isHolder =
      module.kind === 'stack' ||
      (module.kind === 'sequential' &&
        module.children.filter(isBlock).length > 1 &&
        String(shapeAfter(child - 1)) !== String(shapeAfter(child)));
    if (isHolder) {
      end();
      found.push(...runsWithin(module, within(path, child), shapeAfter(child - 1), shapes));
      continue;
    }
    const unit = unitAt(children, child, shapeAfter(child).length === 4);
    // A network's first convolution is its stem: what follows begins a run of its own.
    const isStem = path === '' && row.length === 0 && found.length === 0 && !isBlock(module) && module.kind === 'conv';
    if (unit === undefined || isStem) {
      end();
      if (unit) child = unit.to;
      continue;
    }
    const before = row.at(-1);
    if (before && String(shapeAfter(before.to)) !== String(shapeAfter(unit.to))) end();
    row.push(unit);
    child = unit.to;
  }
  end();
  return found;
}

function unitAt(children: readonly Module[], from: number, isImage: boolean): Unit | undefined {
  const module = children[from] as Module;
  if (!isBlock(module) && !WEIGHTED.has(module.kind)) return undefined;
  let to = from;
  while (LIGHT.has(children[to + 1]?.kind ?? 'zero')) to++;
  const modules = children.slice(from, to + 1);
  const isWhole = modules.some((one) => some(one, ({ kind }) => NONLINEAR.has(kind)));
  if (!isWhole || (isImage && !mixesPositions(modules))) return undefined;
  return { from, to, modules, blocks: module.kind === 'repeat' ? Number(module.times) : 1 };
}

/** A block like this one that keeps the shape: without strides, and around a linear bottleneck with a shortcut. */
function furtherOf({ modules }: Unit): Module {
  const [first, ...others] = modules.map((module) => unstrided(opened(module)));
  const whole = first && others.length === 0 ? first : sequential(...(first ? [first] : []), ...others);
  const isLinearAtEnd = lastOf(whole).kind !== 'activation';
  const isAlone = !some(whole, ({ kind }) => kind === 'residual' || kind === 'dag');
  return isLinearAtEnd && isAlone && some(whole, ({ kind }) => kind === 'conv') ? residual(whole) : whole;
}

/** What is repeated, without an auxiliary head. */
function opened(module: Module): Module {
  return module.kind === 'repeat' || module.kind === 'auxiliary' ? opened(module.body) : module;
}

function unstrided(module: Module): Module {
  if (module.kind === 'conv' || module.kind === 'pool') return { ...module, stride: 1 };
  return mapChildren(module, unstrided);
}

function lastOf(module: Module): Module {
  const last = childrenOf(module).findLast(({ kind }) => !['identity', 'dropout', 'dropPath'].includes(kind));
  return module.kind === 'sequential' && last ? lastOf(last) : module;
}

/** The network with `count` further blocks at the end of each run. */
export function withFurther(root: Module, runs: readonly Run[], counts: readonly number[]): Module {
  const visit = (module: Module, path: string): Module => {
    if (module.kind !== 'sequential' && module.kind !== 'stack') return module;
    const children = module.kind === 'stack' ? module.cells : module.children;
    const extended = children.flatMap((child, i) => {
      const run = runs.findIndex(({ holder, after }) => holder === path && after === i);
      const further = runs[run]?.further;
      const more = further ? Array.from({ length: counts[run] ?? 0 }, () => further) : [];
      return [visit(child, within(path, i)), ...more];
    });
    return module.kind === 'stack' ? { ...module, cells: extended } : { ...module, children: extended };
  };
  return visit(root, '');
}
