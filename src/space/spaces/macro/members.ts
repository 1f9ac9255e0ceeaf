/** Members of the space `macro` that people designed: chains with skip connections. */
import type { Architecture, DecisionValue, Task } from '../../space.ts';
import { designedBins, numbersOf } from '../table/encoding.ts';
import { trainingOf } from '../training.ts';
import { fewestLayers, type Ground, type MacroRank } from './ground.ts';
import type { MacroOptions } from './network.ts';
import { combineOf, halvingOf, kindOf, readOf, widthOf } from './plan.ts';

interface Layer {
  readonly kind: string;
  readonly width: number;
  readonly reads: readonly number[];
  readonly combine: 'add' | 'concat';
}

/** Layers of a residual network: three blocks of two, and one that reads their sum. */
const RESIDUAL = 7;
const CONVOLUTION = { image: 'conv3x3', sequence: 'conv3', table: 'dense' } as const satisfies Record<
  MacroRank,
  string
>;

const upTo = (end: number) => Array.from({ length: end }, (_, i) => i);

/** Each second layer, and the last, reads the sum of what all blocks before it and the stem put out. */
function residualNetwork(count: number, kinds: readonly [string, string], width: number): readonly Layer[] {
  return upTo(count).map((i): Layer => {
    const isSum = i % 2 === 0;
    return {
      kind: kinds[i % 2] ?? kinds[0],
      width,
      reads: isSum ? upTo(i + 1).filter((from) => from % 2 === 0) : [i],
      combine: 'add',
    };
  });
}

/** Each layer reads all before it, concatenated. */
const denseNetwork = (count: number, kind: string, width: number): readonly Layer[] =>
  upTo(count).map((i) => ({ kind, width, reads: upTo(i + 1), combine: i === 0 ? 'add' : 'concat' }));

const chain = (count: number, kind: string, width: number): readonly Layer[] =>
  upTo(count).map((i) => ({ kind, width, reads: [i], combine: 'add' }));

export function designedMembers(
  task: Task,
  ground: Ground,
  { layers, tune }: MacroOptions,
): Readonly<Record<string, Architecture>> {
  const { rank } = ground;
  const kind = CONVOLUTION[rank];
  const written = (list: readonly Layer[]) => ({
    ...memberOf(list, task, ground, layers),
    ...(tune && trainingOf(task)),
  });
  if (rank === 'table')
    return {
      mlp: written(chain(Math.min(2, layers), kind, 128)),
      residual: written(residualNetwork(odd(Math.min(5, layers)), [kind, kind], 128)),
      dense: written(denseNetwork(Math.min(4, layers), kind, 64)),
    };
  const most = Math.min(RESIDUAL, layers);
  return {
    residual: written(residualNetwork(odd(most), [kind, kind], 1)),
    dense: written(denseNetwork(most, kind, 0.5)),
    ...(rank === 'sequence' && {
      recurrent: written(chain(Math.min(3, layers), 'gru', 1)),
      transformer: written(residualNetwork(odd(most), ['attention', 'dense'], 1)),
    }),
  };
}

const odd = (count: number) => count - ((count + 1) % 2);

function memberOf(list: readonly Layer[], task: Task, { rank, halvings }: Ground, most: number): Architecture {
  const isTable = rank === 'table';
  const found: Record<string, DecisionValue> = {};
  if (most > fewestLayers({ rank })) found.layers = String(list.length);
  for (const [i, { kind, width, reads, combine }] of list.entries()) {
    const layer = i + 1;
    if (!isTable) found[kindOf(layer)] = kind;
    found[widthOf(layer)] = width;
    if (layer === 1) continue;
    for (const from of upTo(layer)) found[readOf(from, layer)] = reads.includes(from) ? 'read' : 'none';
    found[combineOf(layer)] = combine;
  }
  for (const h of upTo(halvings)) found[halvingOf(h + 1)] = 'middle';
  const common = { ...found, activation: 'relu' };
  if (!isTable) return { ...common, pool: 'average', head: 'none', dropout: 0 };
  const dropout = task.kind === 'classification' ? 0.4 : 0.2;
  return { ...common, dropout, ...(numbersOf(task) > 0 && { bins: designedBins(task) }) };
}
