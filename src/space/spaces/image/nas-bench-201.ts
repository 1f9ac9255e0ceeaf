import { invalid, UserError } from '../../../common/errors.ts';
import type { Architecture, TextForm } from '../../space.ts';
import {
  avgPool,
  batchNorm,
  choice,
  conv,
  dag,
  globalAvgPool,
  identity,
  linear,
  relu,
  repeat,
  sequential,
  zero,
} from '../../tree/builders.ts';
import { reluConvBn, residualReduce } from '../../tree/composites.ts';
import { defineSpace } from '../../tree/define.ts';
import { imageOf } from './images.ts';

/** Nodes of the cell after its input. */
const NODES = 3;

/** The benchmark's own names. */
const operations = (affine: boolean) => ({
  none: zero(),
  skip_connect: identity(),
  nor_conv_1x1: reluConvBn(1, 'same', 1, { affine }),
  nor_conv_3x3: reluConvBn(3, 'same', 1, { affine }),
  avg_pool_3x3: avgPool(3),
});

/**
 * NAS-Bench-201 (Dong & Yang 2020, arXiv:2001.00326): one cell of 4 nodes with one of 5 operations on each of its 6
 * edges, in 3 stages of `cells` cells with residual blocks of stride 2 between them; `channels` in the first stage,
 * twice and four times as many after. 5^6 = 15,625 architectures. Written in the benchmark's own form,
 * `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`: a group for each node, in it an operation for each earlier node.
 *
 * `search`: batch norm in operations has no scale and offset, as in the authors' one-shot searches: a scale could take the place of a mixture
 * weight. The decisions are the same.
 */
export const nasBench201 = defineSpace(
  'nas-bench-201',
  (task, { cells, channels, search }) => {
    const { height, width } = imageOf(task);
    if (height % 4 !== 0 || width % 4 !== 0) {
      throw new UserError(`images are ${height}x${width}; both sides must be multiples of 4 to be halved twice`);
    }
    const cell = dag(NODES, (from, to) => choice(`${from}->${to}`, operations(!search)));
    return sequential(
      conv(channels, 3),
      batchNorm(),
      repeat(cells, cell),
      residualReduce(2 * channels),
      repeat(cells, cell),
      residualReduce(4 * channels),
      repeat(cells, cell),
      batchNorm(),
      relu(),
      globalAvgPool(),
      linear('outputs'),
    );
  },
  {
    description: 'NAS-Bench-201 (Dong & Yang 2020): a cell of 6 edges with 5 operations; 15,625 architectures',
    defaults: {
      cells: { default: 5, whole: true, min: 1, max: 64 },
      channels: { default: 16, whole: true, min: 1, max: 1024 },
      search: false,
    },
    text: textForm(),
  },
);

function textForm(): TextForm {
  const form = '|op~0|+|op~0|op~1|+|op~0|op~1|op~2|';
  const names = Object.keys(operations(true));
  const nodes = Array.from({ length: NODES }, (_, i) => i + 1);
  return {
    format: (architecture) =>
      nodes
        .map((to) => {
          const edges = Array.from({ length: to }, (_, from) => `${architecture[`${from}->${to}`]}~${from}`);
          return `|${edges.join('|')}|`;
        })
        .join('+'),
    parse(text) {
      const refuse = (found: string, rule: string) => invalid(`architecture "${text}"`, found, rule);
      const groups = text.split('+');
      if (groups.length !== NODES)
        throw refuse(`has ${groups.length} group${groups.length === 1 ? '' : 's'}`, `must be ${form}`);
      const found: Record<string, string> = {};
      for (const [i, group] of groups.entries()) {
        const to = i + 1;
        const edges = group.slice(1, -1).split('|');
        if (!/^\|.*\|$/u.test(group) || edges.length !== to) {
          throw refuse(
            `group ${to} is "${group}"`,
            `must hold ${to} operation${to === 1 ? '' : 's'} between bars: ${form}`,
          );
        }
        for (const [from, edge] of edges.entries()) {
          const [operation = '', source, ...more] = edge.split('~');
          if (source !== String(from) || more.length > 0) {
            throw refuse(`operation ${from + 1} of group ${to} is "${edge}"`, `must be OPERATION~${from}`);
          }
          if (!names.includes(operation)) {
            const place = `operation ${from + 1} of group ${to} is "${operation}"`;
            throw refuse(place, `must be one of ${names.join(', ')}`);
          }
          found[`${from}->${to}`] = operation;
        }
      }
      return found satisfies Architecture;
    },
  };
}
