/**
 * Opens the length of what an exported model reads: one model, built for a length and for the two below it, becomes one for every length up to
 * that. The three must have the same operators. Numbers in which they differ follow from the length, and are worked out in a run: a shape or
 * bound that grows with the length, and a table of positions or a mask of pairs of them, whose beginning is that of a shorter one.
 */
import onnxProto from 'onnx-proto';
import { sizeOf } from '../../graph/ir.ts';

type Model = onnxProto.onnx.IModelProto;
type Tensor = onnxProto.onnx.ITensorProto;
type Node = onnxProto.onnx.INodeProto;
type ValueInfo = onnxProto.onnx.IValueInfoProto;

/** The symbol of the length among the dimensions of inputs and outputs. */
const LENGTH = 'T';
/** Before names of values that are made here; no export begins a name so. */
const PREFIX = '$open:';

/**
 * The model for `length` with its length open, where `input` [N, length] says how long a sample is; `shorter` are those for one and two
 * positions less. Undefined where something depends on the length in another way, as the unrolled steps of a recurrent layer do.
 */
export function openLength(
  bytes: Uint8Array,
  shorter: readonly [Uint8Array, Uint8Array],
  { input, length }: { readonly input: string; readonly length: number },
): Uint8Array | undefined {
  const { ModelProto } = onnxProto.onnx;
  const [model, ...others] = [bytes, ...shorter].map((one): Model => ModelProto.decode(one));
  const graph = model?.graph;
  const graphs = others.map((one) => one.graph);
  if (!model || !graph || graphs.some((one) => !one || one.node?.length !== graph.node?.length)) return undefined;
  const compared = graphs.map((one) => ({
    nodes: one?.node ?? [],
    given: byName(one?.initializer),
    names: new Map<string, string>(),
  }));
  const given = byName(graph.initializer);
  const opening = openingFor(input, length);
  const kept = new Set<string>();
  const nodes: Node[] = [];
  for (const [i, node] of (graph.node ?? []).entries()) {
    const same = compared.map(({ nodes: own }) => own[i]);
    if (same.some((one) => one === undefined || formOf(one) !== formOf(node))) return undefined;
    const inputs = (node.input ?? []).map((name, k) => {
      const tensor = given.get(name);
      if (tensor === undefined)
        return compared.every(({ names }, c) => (names.get(name) ?? name) === same[c]?.input?.[k]) ? name : undefined;
      const versions = compared.map(({ given: own }, c) => own.get(same[c]?.input?.[k] ?? ''));
      const opened = versions.every((one) => one !== undefined) ? opening.opened(name, tensor, versions) : undefined;
      if (opened === name) kept.add(name);
      return opened;
    });
    if (!inputs.every((name) => name !== undefined)) return undefined;
    for (const [c, { names }] of compared.entries())
      for (const [k, name] of (node.output ?? []).entries()) names.set(name, same[c]?.output?.[k] ?? '');
    nodes.push({ ...node, input: inputs });
  }
  const ends = (own: readonly ValueInfo[] = [], shortest: readonly ValueInfo[] = []) =>
    own.map((info, i) => withOpenDimensions(info, shortest[i]));
  const last = graphs.at(-1);
  const added = opening.added();
  return ModelProto.encode({
    ...model,
    graph: {
      ...graph,
      node: [...added.nodes, ...nodes],
      initializer: [
        ...(graph.initializer ?? []).filter(({ name }) => kept.has(name ?? '') || added.reads.has(name ?? '')),
        ...added.tensors,
      ],
      input: ends(graph.input ?? [], last?.input ?? []),
      output: ends(graph.output ?? [], last?.output ?? []),
    },
  }).finish();
}

const byName = (tensors: readonly Tensor[] | null | undefined): ReadonlyMap<string, Tensor> =>
  new Map((tensors ?? []).map((tensor) => [tensor.name ?? '', tensor]));

/** An operator with its settings. */
const formOf = ({ opType, domain, input, output, attribute }: Node): string =>
  JSON.stringify([opType, domain, input?.length, output?.length, attribute]);

/** protobuf's 64-bit numbers come as objects where the library `long` is there. */
const dimensionsOf = ({ dims }: Tensor): readonly number[] =>
  (dims ?? []).map((size) => (typeof size === 'number' ? size : size.toNumber()));

function withOpenDimensions(info: ValueInfo, shorter: ValueInfo | undefined): ValueInfo {
  const tensorType = info.type?.tensorType;
  const others = shorter?.type?.tensorType?.shape?.dim ?? [];
  const dim = tensorType?.shape?.dim?.map((one, axis) =>
    String(one.dimValue ?? '') === String(others[axis]?.dimValue ?? '') ? one : { dimParam: LENGTH },
  );
  return { ...info, type: { tensorType: { ...tensorType, shape: { dim: dim ?? [] } } } };
}

/** The tensors that depend on the length, and the nodes that make them. */
function openingFor(input: string, length: number) {
  const { DataType } = onnxProto.onnx.TensorProto;
  const nodes: Node[] = [];
  const tensors: Tensor[] = [];
  const known = new Map<string, string>();
  const reads = new Set<string>();

  const made = (key: string, make: (name: string) => void): string => {
    const name = known.get(key) ?? `${PREFIX}${known.size}`;
    if (!known.has(key)) {
      known.set(key, name);
      make(name);
    }
    return name;
  };
  const ints = (values: readonly number[]) =>
    made(`ints ${values.join()}`, (name) => {
      const { buffer } = BigInt64Array.from(values, BigInt);
      tensors.push({ name, dims: [values.length], dataType: DataType.INT64, rawData: new Uint8Array(buffer) });
    });
  const node = (opType: string, inputs: readonly string[]) =>
    made([opType, ...inputs].join(' '), (name) => nodes.push({ name, opType, input: [...inputs], output: [name] }));
  /** [1]: how long the samples of a run are. */
  const time = () => node('Slice', [node('Shape', [input]), ints([1]), ints([2])]);
  /** slopes · length + offsets */
  const line = (slopes: readonly number[], offsets: readonly number[]) => {
    const grown =
      slopes.every((one) => one === 1) && slopes.length === 1 ? time() : node('Mul', [ints(slopes), time()]);
    return offsets.every((one) => one === 0) ? grown : node('Add', [grown, ints(offsets)]);
  };

  function numbers(own: Tensor, versions: readonly Tensor[]): string | undefined {
    const [values, shorter, shortest] = [own, ...versions].map(wholeNumbers);
    if (!values || !shorter || !shortest || new Set([values.length, shorter.length, shortest.length]).size > 1)
      return undefined;
    const slopes = values.map((value, i) => value - (shorter[i] ?? Number.NaN));
    if (slopes.some((slope, i) => (shorter[i] ?? 0) - slope !== shortest[i])) return undefined;
    return line(
      slopes,
      values.map((value, i) => value - (slopes[i] ?? 0) * length),
    );
  }

  function beginning(name: string, own: Tensor, versions: readonly Tensor[]): string | undefined {
    const shape = dimensionsOf(own);
    const axes = [...shape.keys()].filter((axis) => dimensionsOf(versions[0] ?? own)[axis] !== shape[axis]);
    const fits = versions.every((one, i) => {
      const wanted = shape.map((n, axis) => (axes.includes(axis) ? length - i - 1 : n));
      return dimensionsOf(one).join() === wanted.join() && isBeginning(own, one);
    });
    if (!fits || axes.length === 0 || axes.some((axis) => shape[axis] !== length)) return undefined;
    reads.add(name);
    const none = axes.map(() => 0);
    return node('Slice', [
      name,
      ints(none),
      line(
        axes.map(() => 1),
        none,
      ),
      ints(axes),
    ]);
  }

  return {
    /** The value to read in the place of this one, which is that one itself where no length changes it; undefined: it cannot be open. */
    opened(name: string, own: Tensor, versions: readonly Tensor[]): string | undefined {
      const isSame = versions.every(
        (one) =>
          one.dataType === own.dataType && dimensionsOf(one).join() === dimensionsOf(own).join() && equal(one, own),
      );
      if (isSame) return name;
      return own.dataType === DataType.INT64 ? numbers(own, versions) : beginning(name, own, versions);
    },
    added: () => ({ nodes, tensors, reads }),
  };
}

function viewOf({ rawData }: Tensor): DataView {
  const raw = rawData ?? new Uint8Array();
  return new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
}

/** Of two tensors of one shape, whose elements have 4 or 8 bytes. */
function equal(one: Tensor, other: Tensor): boolean {
  const [a, b] = [viewOf(one), viewOf(other)];
  if (a.byteLength !== b.byteLength) return false;
  for (let at = 0; at < a.byteLength; at += 4) if (a.getInt32(at, true) !== b.getInt32(at, true)) return false;
  return true;
}

function wholeNumbers(tensor: Tensor | undefined): readonly number[] | undefined {
  if (tensor === undefined) return undefined;
  const view = viewOf(tensor);
  return Array.from({ length: view.byteLength / 8 }, (_, i) => Number(view.getBigInt64(8 * i, true)));
}

/** Whether `part` has the first elements of `whole` along each axis; both of 4 bytes an element. */
function isBeginning(whole: Tensor, part: Tensor): boolean {
  const [from, shape] = [dimensionsOf(whole), dimensionsOf(part)];
  const [a, b] = [viewOf(whole), viewOf(part)];
  for (let i = 0; i < sizeOf(shape); i++) {
    let [left, at, stride] = [i, 0, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis] ?? 1;
      at += (left % size) * stride;
      left = Math.floor(left / size);
      stride *= from[axis] ?? 1;
    }
    if (a.getInt32(4 * at, true) !== b.getInt32(4 * i, true)) return false;
  }
  return true;
}
