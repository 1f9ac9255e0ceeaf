/**
 * A start from the weights of another network, which was trained on other data: by the names of its tensors, as in fine-tuning (Howard &
 * Ruder 2018, arXiv:1801.06146). Unlike `morphWeights` it preserves no function: the two networks answer different questions.
 */
import type { HostTensor, Shape } from '../graph/ir.ts';
import type { Parameter } from './network.ts';

/** A parameter or statistic by its name. */
export type Named = Pick<Parameter, 'path' | 'shape' | 'role'>;

/** A trained network. */
export interface Pretrained {
  /** Its parameters and statistics, in its own order. */
  readonly tensors: readonly Named[];
  readonly weights: Readonly<Record<string, HostTensor>>;
  /** The row of its table of tokens that is row 0 of ours: -1 where our row 0 is padding, which it does not have. */
  readonly firstToken: number;
  /** It gives the same answers, so its last layer is taken, too. */
  readonly sameOutputs: boolean;
}

export interface Start {
  readonly tensors: Readonly<Record<string, HostTensor>>;
  /** Numbers that come from the other network. */
  readonly taken: number;
}

/**
 * What a network takes of another one:
 *
 * - tables of tokens and of positions by their order. Of two widths or lengths, the rows and columns that both have; the rest stays fresh;
 * - any other tensor of the same path and shape;
 * - where there is none, recurrent layers that read forwards by their order, if shapes agree: a language model and a classifier name them
 *   differently;
 * - the last layer only where the answers are the same.
 *
 * `fresh`: initial tensors of the network by path.
 */
export function startingTensors(
  wanted: readonly Named[],
  fresh: Readonly<Record<string, HostTensor>>,
  { tensors, weights, firstToken, sameOutputs }: Pretrained,
): Start {
  const byPath = new Map(tensors.map((tensor) => [tensor.path, tensor]));
  const found: Record<string, HostTensor> = {};
  let taken = 0;
  for (const own of wanted) {
    const { path, shape, role } = own;
    if (role === 'outputs' && !sameOutputs) continue;
    const isTable = role === 'tokens' || role === 'positions';
    const named = byPath.get(path);
    const source = isTable || (role === 'forward' && named === undefined) ? inOrder(own, wanted, tensors) : named;
    const tensor = source && weights[source.path];
    const start = fresh[path];
    if (tensor === undefined || start === undefined) continue;
    if (isTable) {
      const { data, count } = overlaid(start, tensor, role === 'tokens' ? firstToken : 0);
      if (count === 0) continue;
      found[path] = { shape, data };
      taken += count;
    } else if (sameShape(tensor.shape, shape)) {
      found[path] = tensor;
      taken += tensor.data.length;
    }
  }
  return { tensors: found, taken };
}

const sameShape = (a: Shape, b: Shape) => String(a) === String(b);

/** The tensor that stands at the same place among those of its role. */
function inOrder(own: Named, wanted: readonly Named[], tensors: readonly Named[]): Named | undefined {
  const ofRole = (all: readonly Named[]) => all.filter(({ role }) => role === own.role);
  return ofRole(tensors)[ofRole(wanted).indexOf(own)];
}

/** The table [rows, columns] with what it has in common with another one, whose row `first` is its row 0. */
function overlaid(
  own: HostTensor,
  other: HostTensor,
  first: number,
): { readonly data: Float32Array<ArrayBuffer>; readonly count: number } {
  const [rows = 0, columns = 0] = own.shape;
  const [otherRows = 0, otherColumns = 0] = other.shape;
  const data = Float32Array.from(own.data);
  const both = Math.min(columns, otherColumns);
  let count = 0;
  for (let row = Math.max(0, -first); row < rows && row + first < otherRows; row++) {
    const from = (row + first) * otherColumns;
    data.set(other.data.subarray(from, from + both), row * columns);
    count += both;
  }
  return { data, count };
}
