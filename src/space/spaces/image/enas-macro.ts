import { invalid } from '../../../common/errors.ts';
import type { Architecture, Published, TextForm } from '../../space.ts';
import {
  avgPool,
  batchNorm,
  choice,
  conv,
  type DagNodeOptions,
  dagOfNodes,
  factorizedReduce,
  globalAvgPool,
  identity,
  linear,
  maxPool,
  relu,
  sequential,
  zero,
} from '../../tree/builders.ts';
import { reluConvBn } from '../../tree/composites.ts';
import { defineSpace } from '../../tree/define.ts';
import type { Module } from '../../tree/module.ts';
import { imageOf } from './images.ts';

/** In the order of the published code, which writes their numbers. */
const OPERATIONS = {
  conv_3x3: convolution(3),
  sep_conv_3x3: separable(3),
  conv_5x5: convolution(5),
  sep_conv_5x5: separable(5),
  avg_pool_3x3: sequential(reluConvBn(1), avgPool(3)),
  max_pool_3x3: sequential(reluConvBn(1), maxPool(3)),
} as const satisfies Readonly<Record<string, Module>>;
const NAMES = Object.keys(OPERATIONS);
const SKIP = { none: zero(), skip_connect: identity() } as const;

/** The layers of the published script are those of a deeper network than the space has by default. */
const MACRO_NETWORKS = {
  ENAS_macro: {
    text:
      '0 3 0 0 1 0 2 0 0 1 ' +
      '2 0 0 0 0 3 1 1 0 1 0 2 0 0 0 0 0 1 2 0 1 1 0 1 1 1 ' +
      '1 0 1 1 1 0 1 0 1 0 0 0 0 0 0 0 0 0 0 2 0 0 0 0 0 1 0 0 0 0 0 1 0 0 1 1 0 0 0 0 1 1 ' +
      '2 0 1 0 0 0 0 0 1 0 1 1 0 1 0 0 1 0 0 0 1 1 1 0 1 0 1 0 1 1 0 1 0 1 0 0 0 0 0 1 0 0 2 0 0 1 0 0 0 0 0 0 0 1 0 1 0 1 ' +
      '2 0 1 0 0 0 1 0 0 1 1 1 1 0 0 1 0 2 0 0 0 0 1 0 1 0 1 0 0 1 0 1 0 0 1 3 0 1 1 0 1 0 0 0 0 0 1 0 1 0 1 0 0 0 3 0 1 1 0 0 0 0 0 0 0 0 0 1 1 0 0 0 0 1 ' +
      '0 1 0 0 1 0 1 1 0 0 0 1 0 0 0 0 0 1 1 0 0 3 0 1 0 1 1 0 0 1 0 1 1 0 1 1 0 1 0 0 1 0 0 0 1 0 1 0 1 0 0 0 0 0 0 0 0 1 0 1 0 0 1 0 0 0 0 1 1 0 0 0 1 1 1 0 1 0 0 0 1 0 1 0 0 1 1 0 0 0',
    paper: 'Pham et al. 2018, arXiv:1802.03268, macro search',
    source: 'melodyguan/enas@00787a5 scripts/cifar10_macro_final.sh',
    options: { layers: 24 },
  },
} as const satisfies Readonly<Record<string, Published>>;

/**
 * The macro search space of ENAS (Pham et al. 2018, arXiv:1802.03268, section 2.3): `layers` layers in a row, each one of 6 operations on
 * the layer before it, plus any of the earlier ones (layer 0 is the stem) over skip connections. After a third and two thirds of the layers,
 * all outputs so far are halved, and channels doubled. 6^12 · 2^66 = 1.6e29 architectures of 12 layers. Written as in the published scripts:
 * for each layer the number of its operation, then a 0 or 1 for each layer before the one that it reads.
 *
 * `search`: the network that the paper searches with: all layers have the same number of channels.
 *
 * Differs: skips are added and normalized in the final network, too, which concatenates them there; a separable convolution stays one in the final
 * network; ReLU precedes the halving.
 */
export const enasMacro = defineSpace(
  'enas-macro',
  (task, { layers, channels, search }) => {
    imageOf(task);
    return sequential(
      conv(channels, 3),
      batchNorm(),
      network(layers, channels, search ? 1 : 2),
      globalAvgPool(),
      linear('outputs'),
    );
  },
  {
    description:
      'ENAS macro space (Pham et al. 2018): 12 layers of 6 operations with any skip connections; 1.6e29 architectures',
    defaults: {
      layers: { default: 12, whole: true, min: 3, max: 48 },
      channels: { default: 36, whole: true, min: 2, max: 1024 },
      search: false,
    },
    text: textForm(),
    published: { architectures: MACRO_NETWORKS, options: { layers: 24, channels: 96 } },
  },
);

function network(layers: number, channels: number, growth: number): Module {
  const third = Math.floor(layers / 3);
  const nodes: DagNodeOptions[] = [];
  /** The nodes that have the outputs of the stem and of each layer so far, in the present size. */
  let outputs = [0];
  let current = channels;
  for (let layer = 1; layer <= layers; layer++) {
    const from = outputs;
    nodes.push({
      from,
      edge(node) {
        const source = from.indexOf(node);
        if (source === layer - 1) return choice(String(layer), OPERATIONS);
        return source < 0 ? identity() : choice(`${source}->${layer}`, SKIP);
      },
      ...(layer > 1 && { body: batchNorm() }),
    });
    outputs = [...from, nodes.length];
    if (layer !== third && layer !== 2 * third) continue;
    current *= growth;
    const halved = factorizedReduce(current);
    const before = outputs;
    outputs = before.map((node) => {
      nodes.push({ from: [node], edge: () => halved });
      return nodes.length;
    });
  }
  return dagOfNodes(nodes.length, (node) => nodes[node - 1] ?? {});
}

function convolution(kernel: number): Module {
  return sequential(reluConvBn(1), reluConvBn(kernel));
}

function separable(kernel: number): Module {
  return sequential(reluConvBn(1), relu(), conv('same', kernel, { groups: 'depthwise' }), conv('same', 1), batchNorm());
}

function textForm(): TextForm {
  return {
    format(architecture) {
      const layers = Object.keys(architecture).filter((name) => /^\d+$/u.test(name)).length;
      return Array.from({ length: layers }, (_, i) => i + 1)
        .flatMap((layer) => [
          NAMES.indexOf(String(architecture[layer])),
          ...skipsOf(layer).map((name) => Number(architecture[name] === 'skip_connect')),
        ])
        .join(' ');
    },
    parse(text) {
      const given: Readonly<Record<string, Published>> = MACRO_NETWORKS;
      const written = Object.hasOwn(given, text) ? (given[text]?.text ?? text) : text;
      const short = written.length > 60 ? `${written.slice(0, 60)}...` : written;
      const refuse = (found: string, rule: string) => invalid(`architecture "${short}"`, found, rule);
      const numbers = written.trim().split(/\s+/u);
      const layers = Math.floor(Math.sqrt(2 * numbers.length));
      if ((layers * (layers + 1)) / 2 !== numbers.length)
        throw refuse(
          `has ${numbers.length} number${numbers.length === 1 ? '' : 's'}`,
          'must have 1 for the first layer, 2 for the second and so on: an operation, then a 0 or 1 for each skip connection',
        );
      const found: Record<string, string> = {};
      for (let layer = 1, at = 0; layer <= layers; at += layer++) {
        const operation = NAMES[/^\d$/u.test(numbers[at] ?? '') ? Number(numbers[at]) : -1];
        if (operation === undefined) {
          const rule = `must be 0 to ${NAMES.length - 1}: ${NAMES.join(', ')}`;
          throw refuse(`the operation of layer ${layer} is "${numbers[at]}"`, rule);
        }
        found[layer] = operation;
        for (const [source, name] of skipsOf(layer).entries()) {
          const skip = numbers[at + 1 + source];
          if (skip !== '0' && skip !== '1')
            throw refuse(`the skip from layer ${source} to layer ${layer} is "${skip}"`, 'must be 0 or 1');
          found[name] = skip === '1' ? 'skip_connect' : 'none';
        }
      }
      return found satisfies Architecture;
    },
  };
}

/** The decisions on what a layer reads besides the one before it. */
function skipsOf(layer: number): readonly string[] {
  return Array.from({ length: layer - 1 }, (_, source) => `${source}->${layer}`);
}
