/**
 * Where the blocked layout is left and entered in whole networks: what changes an activation's layout costs a pass over memory.
 * Models are lowered for either block and not run, so that these tests need no processor that has blocked operators.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import onnxProto from 'onnx-proto';
import type { DatasetInfo } from '../src/data/dataset.ts';
import { lowerGraph } from '../src/engine/onnx/lower.ts';
import type { Graph } from '../src/graph/ir.ts';
import { supernetSteps } from '../src/oneshot/mixture-steps.ts';
import { SPACES } from '../src/space/spaces/index.ts';
import { conv, globalAvgPool, linear, relu, sequential } from '../src/space/tree/builders.ts';
import type { Module } from '../src/space/tree/module.ts';
import { resolve, supernet } from '../src/space/tree/resolve.ts';
import { inferenceGraph, trainingGraph } from '../src/train/program.ts';

const BATCH = 28;
/** Of all sizes, the batch and its multiples alone are divisible by this. */
const OF_THE_BATCH = 7;
const SIDE = 16;

const info: DatasetInfo = {
  name: 'none',
  kind: 'classification',
  input: [3, SIDE, SIDE],
  outputs: 10,
  labels: Array.from({ length: 10 }, (_, i) => `${i}`),
  mean: [0, 0, 0],
  deviation: [1, 1, 1],
  counts: { train: 0, valid: 0, test: 0 },
  notes: [],
};
const settings = { optimizer: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 3e-4, clipNorm: 5 } as const;

interface Step {
  readonly graph: Graph;
  readonly carries?: Readonly<Record<string, string>>;
}

interface Lowered {
  /** `TYPE [SHAPE]` of each node that brings an activation into another layout, with the shape of what it reads. */
  readonly reorders: readonly string[];
  /** How many operators of the blocked layout there are of each type. */
  readonly blocked: Readonly<Record<string, number>>;
  /** How many plain convolutions there are. */
  readonly plainConvolutions: number;
}

function lowered({ graph, carries = {} }: Step, block: number): Lowered {
  const bytes = lowerGraph(graph, { target: 'cpu', block, carries }).model;
  const model = onnxProto.onnx.ModelProto.decode(bytes).graph;
  const nodes = model?.node ?? [];
  const made = new Map(nodes.flatMap((node) => (node.output ?? []).map((name) => [name, node] as const)));
  const known = [...(model?.valueInfo ?? []), ...(model?.input ?? []), ...(model?.output ?? [])];
  const shapes = new Map(
    known.map(({ name, type }) => [name, type?.tensorType?.shape?.dim?.map(({ dimValue }) => Number(dimValue))]),
  );
  const vectors = new Map(
    (model?.initializer ?? [])
      .filter(({ dataType }) => dataType === onnxProto.onnx.TensorProto.DataType.INT64)
      .map(({ name, rawData }) => [name, [...new BigInt64Array(new Uint8Array(rawData ?? []).buffer)].map(Number)]),
  );
  /** As it is declared, or as a view of it says; undefined for what the lowering says nothing about. */
  const shapeOf = (value: string): readonly number[] | undefined => {
    const node = made.get(value);
    return node?.opType === 'Reshape' ? vectors.get(node.input?.[1] ?? '') : shapes.get(value);
  };
  const constants = new Set((model?.initializer ?? []).map(({ name }) => name));
  /** Whether a value, or if nothing says what shape it has one that it is made of, holds something for each image. */
  const isOfImages = (value: string): boolean => {
    const { opType, input } = made.get(value) ?? {};
    // Sums over the first axis hold nothing of the images any more; ones times a row for each image is one, too.
    if (opType === 'MatMul' && constants.has(input?.[0] ?? '')) return false;
    if (opType?.startsWith('Reduce') && vectors.get(input?.[1] ?? '')?.includes(0)) return false;
    return shapeOf(value)?.some((size) => size % OF_THE_BATCH === 0) ?? (input ?? []).some(isOfImages);
  };
  const blocked: Record<string, number> = {};
  const reorders: string[] = [];
  for (const { opType, domain, input = [] } of nodes) {
    const type = opType ?? '';
    const isBlocked = domain === 'com.microsoft.nchwc';
    if (isBlocked) blocked[type] = (blocked[type] ?? 0) + 1;
    if (!type.startsWith('Reorder') && type !== 'Transpose') continue;
    const [read = ''] = input ?? [];
    const shape = shapeOf(read);
    // The gradient of a filter has tiles of B by B floats transposed: `ReorderOutput` of images one pixel high, B wide and of one
    // block of channels, which no activation here is.
    const isTiles = type === 'ReorderOutput' && `${shape?.slice(1)}` === `${[block, 1, block]}`;
    // A filter, its gradient, and the sums over images that these are made of, know no batch.
    const isFilter = type === 'Transpose' && !isOfImages(read);
    if (!isTiles && !isFilter) reorders.push(`${type} ${shape ? `[${shape}]` : `of ${made.get(read)?.opType}`}`);
  }
  const plainConvolutions = nodes.filter(({ opType, domain }) => opType === 'Conv' && (domain ?? '') === '').length;
  return { reorders: reorders.sort(), blocked, plainConvolutions };
}

const on = (network: Module) => ({ network, info, resolution: 1 });
const training = (network: Module, block: number) => lowered(trainingGraph(on(network), settings, BATCH), block);
const inference = (network: Module, block: number) => lowered(inferenceGraph(on(network), BATCH), block);

/** Whole blocks of either size. */
const CHANNELS = 16;
/** Normal, reduction, reduction. */
const CELLS = 3;

function dartsNetwork(channels: number): Module {
  const space = SPACES.darts.create(info, { channels, cells: CELLS });
  return resolve(space, space.text?.parse('DARTS_V2') ?? {});
}

function nasBench201(channels: number): Module {
  const space = SPACES['nas-bench-201'].create(info, { channels, cells: 1 });
  const cell = '|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|';
  return resolve(space, space.text?.parse(cell) ?? {});
}

function smallCnn(normalisation: 'batch' | 'layer'): Module {
  const stages = [16, 32, 48].map((width, i) => ({
    [`width${i + 1}`]: width,
    [`kernel${i + 1}`]: 3,
    [`depth${i + 1}`]: 2,
  }));
  return resolve(SPACES['small-cnn'].create(info), Object.assign({ normalisation, activation: 'relu' }, ...stages));
}

const mixture = supernetSteps(
  on(supernet(SPACES.darts.create(info, { channels: CHANNELS, cells: CELLS, search: true }))),
  settings,
  { weightDecay: 1e-3 },
  BATCH,
);

for (const block of [16, 8]) {
  describe(`changes of an activation's layout, in blocks of ${block} channels`, () => {
    const image = (channels: number, side: number) => `[${[BATCH, channels, side, side]}]`;
    /** A training step reorders nothing either. The gradient of a stem's filter unfolds the image, by a plain convolution. */
    const assertStemAlone = ({ reorders, plainConvolutions }: Lowered) => {
      assert.deepEqual(reorders, []);
      assert.equal(plainConvolutions, 1);
    };
    const assertNone = ({ reorders, plainConvolutions }: Lowered) => {
      assert.deepEqual(reorders, []);
      assert.equal(plainConvolutions, 0);
    };

    test('a DARTS mixture: none inside a cell', () => {
      assertStemAlone(lowered(mixture.weightStep, block));
      // The gradients by the architecture need none by the stem.
      assertNone(lowered(mixture.archGradient, block));
    });

    for (const [name, network] of [
      ['a discrete DARTS network: none inside a cell', dartsNetwork(CHANNELS)],
      ['NAS-Bench-201', nasBench201(CHANNELS)],
      ['small-cnn', smallCnn('batch')],
      ['small-cnn with layer norm', smallCnn('layer')],
    ] as const) {
      test(name, () => {
        assertStemAlone(training(network, block));
        assertNone(inference(network, block));
      });
    }

    const partial = (3 * block) / 4;
    test('channels that are no whole blocks: a network of cells, with pools and shortcuts', () => {
      assertStemAlone(training(nasBench201(partial), block));
      assertNone(inference(nasBench201(partial), block));
    });

    const layers = (width: number) =>
      sequential(
        ...[block, block, width, block, block].flatMap((channels) => [conv(channels, 3), relu()]),
        globalAvgPool(),
        linear('outputs'),
      );
    for (const width of [2 * partial, 2 * block - 1, block + partial]) {
      test(`a convolution to ${width} channels is one to ${2 * block}`, () => {
        const [forward, whole] = [inference(layers(width), block), inference(layers(2 * block), block)];
        assertNone(forward);
        assert.deepEqual(forward.blocked, whole.blocked);
        const step = training(layers(width), block);
        assertStemAlone(step);
        assert.deepEqual(step.blocked.Conv, training(layers(2 * block), block).blocked.Conv);
      });
    }

    test('a convolution to so few channels that most would be added: it and its reader fall back, their neighbors do not', () => {
      const network = layers(block / 4);
      const forward = inference(network, block);
      assert.deepEqual(forward.reorders, [`ReorderOutput ${image(block, SIDE)}`]);
      // The next one reads so few channels as it would read an image.
      assert.deepEqual([forward.blocked.Conv, forward.plainConvolutions], [4, 1]);
    });
  });
}
