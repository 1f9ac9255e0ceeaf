/**
 * A network as a list of genes: layers, and connections between them, each with a historical marking. Plain JSON. As one line:
 * `k9x2f1a=conv3x3*2:relu in>k9x2f1a k9x2f1a>out in>out!`: layers with kind, width and activation, then connections, `!` for a disabled one.
 */
import { z } from 'zod';
import { invalid } from '../../../common/errors.ts';
import { deepFreeze } from '../../../common/json.ts';
import { checkGenes, type Ends, fixedOf, type Gene } from '../../genome/genes.ts';
import { markOf } from '../../genome/marks.ts';
import { leadsTo } from '../../genome/paths.ts';

/** What a layer does. A pooling has neither width nor activation. */
export type Settings = { readonly kind: string; readonly width?: number; readonly activation?: string };

/** A layer gene. Its number is the mark of the connection that it split first, so equal layers have equal numbers in all genomes. */
export type LayerGene = Settings & { readonly mark: number };

export type LayerGenome = {
  /** By rising mark. */
  readonly layers: readonly LayerGene[];
  /** By rising innovation number. Node 0 is the stem of the network, node 1 its end. */
  readonly connections: readonly Gene[];
};

/** What the members of a space have in common. */
export interface LayerShape {
  /** Kinds of layers with a width and an activation. */
  readonly kinds: readonly string[];
  /** Kinds that halve what they read. */
  readonly pools: readonly string[];
  /** Channels as multiples of those of the stem; of a table, units. */
  readonly widths: readonly number[];
  readonly activations: readonly string[];
  /** Most layers. */
  readonly layers: number;
}

export const ENDS: Ends = Object.freeze({ inputs: 1, outputs: 1, bias: 0, recurrent: false });
export const FIXED = fixedOf(ENDS);
export const [INPUT, OUTPUT] = [0, 1];

export const way = (from: number, to: number, enabled = true): Gene => ({
  innovation: markOf(from, to, FIXED),
  ...{ from, to, enabled },
});

/** Genes as a frozen genome; they are sorted, and not checked. */
export function layerGenomeOf(layers: readonly LayerGene[], connections: readonly Gene[]): LayerGenome {
  return deepFreeze({
    layers: layers.toSorted((a, b) => a.mark - b.mark),
    connections: connections.toSorted((a, b) => a.innovation - b.innovation),
  });
}

/** Whether enabled connections lead from the stem to the end: without them there is no network. */
export const isConnected = (connections: readonly Gene[]): boolean =>
  leadsTo(
    connections.filter(({ enabled }) => enabled),
    INPUT,
    OUTPUT,
  );

const schema = z.strictObject({
  layers: z.array(
    z.strictObject({
      mark: z.int().min(2 ** 32),
      kind: z.string(),
      width: z.number().exactOptional(),
      activation: z.string().exactOptional(),
    }),
  ),
  connections: z.array(
    z.strictObject({
      innovation: z.int().min(0),
      from: z.int().min(0),
      to: z.int().min(0),
      enabled: z.boolean(),
    }),
  ),
});

/** Plain data as a genome, sorted and frozen. Throws UserError with place, value and rule. */
export function checkLayerGenome(found: unknown, shape: LayerShape, place: string): LayerGenome {
  const read = schema.safeParse(found);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw invalid(place, `is ${JSON.stringify(found)}`, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }
  const { layers, connections } = read.data;
  if (layers.length > shape.layers) throw invalid(place, `has ${layers.length} layers`, `at most ${shape.layers}`);
  for (const [i, layer] of layers.entries()) {
    const refuse = (rule: string) => invalid(place, `layers[${i}] is ${JSON.stringify(layer)}`, rule);
    const { kind, width, activation } = layer;
    if (shape.pools.includes(kind)) {
      if (width !== undefined || activation !== undefined) throw refuse('a pooling has no width and no activation');
      continue;
    }
    if (!shape.kinds.includes(kind))
      throw refuse(`its kind must be one of ${[...shape.kinds, ...shape.pools].join(', ')}`);
    if (!shape.widths.some((one) => one === width)) throw refuse(`its width must be one of ${shape.widths.join(', ')}`);
    if (!shape.activations.some((one) => one === activation))
      throw refuse(`its activation must be one of ${shape.activations.join(', ')}`);
  }
  checkGenes(
    layers.map(({ mark }) => mark),
    connections,
    ENDS,
    place,
  );
  if (!isConnected(connections))
    throw invalid(place, 'no enabled connections lead from in to out', 'without them there is no network');
  return layerGenomeOf(layers, connections);
}

/** Numbers of layers are written to the base of 36. */
const RADIX = 36;
const nameOf = (node: number) => (node === INPUT ? 'in' : node === OUTPUT ? 'out' : node.toString(RADIX));

export function formatLayerGenome({ layers, connections }: LayerGenome): string {
  const nodes = layers.map(({ mark, kind, width, activation }) => {
    const settings = width === undefined ? kind : `${kind}*${width}:${activation}`;
    return `${nameOf(mark)}=${settings}`;
  });
  const ways = connections.map(({ from, to, enabled }) => `${nameOf(from)}>${nameOf(to)}${enabled ? '' : '!'}`);
  return [...nodes, ...ways].join(' ');
}

const FORM = 'must be LAYER=KIND*WIDTH:ACTIVATION, LAYER=POOLING, FROM>TO or FROM>TO!';

/** Reads what `formatLayerGenome` wrote, as plain data. Throws UserError with the place in the text. */
export function parseLayerGenome(text: string, place: string): unknown {
  const layers: LayerGene[] = [];
  const connections: Gene[] = [];
  for (const [i, part] of text.trim().split(/\s+/u).entries()) {
    const layer = /^([0-9a-z]+)=(\w+)(?:\*(\d+(?:\.\d+)?):(\w+))?$/u.exec(part);
    const connection = /^([0-9a-z]+)>([0-9a-z]+)(!?)$/u.exec(part);
    if (layer !== null) {
      const [, name = '', kind = '', width, activation] = layer;
      const settings =
        width === undefined || activation === undefined ? { kind } : { kind, width: Number(width), activation };
      layers.push({ mark: nodeOf(name), ...settings });
    } else if (connection !== null) {
      const [, from = '', to = '', off] = connection;
      connections.push(way(nodeOf(from), nodeOf(to), off === ''));
    } else throw invalid(place, `part ${i + 1} is "${part}"`, FORM);
  }
  return { layers, connections };
}

const nodeOf = (name: string): number =>
  name === 'in' ? INPUT : name === 'out' ? OUTPUT : Number.parseInt(name, RADIX);
