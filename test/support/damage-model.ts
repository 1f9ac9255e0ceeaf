/** Exported models as accidents and strangers leave them: what `predict` must refuse, or answer as if nothing had been. */
import onnxProto from 'onnx-proto';
import type { Rng } from '../../src/common/random.ts';
import { SEAL_KEY, sealModel } from '../../src/report/export/seal.node.ts';

const { ModelProto, TensorProto, AttributeProto } = onnxProto.onnx;
type Model = onnxProto.onnx.IModelProto;
type Graph = onnxProto.onnx.IGraphProto;

/**
 * The file after an accident: flipped bits, a lost end, bytes overwritten, lost, or there twice. A sealed model is refused (UserError)
 * or gives the same answers.
 */
export function damageModel(bytes: Uint8Array, random: Rng): Uint8Array {
  return random.pick(ACCIDENTS)(bytes, random);
}

const ACCIDENTS: readonly ((bytes: Uint8Array, random: Rng) => Uint8Array)[] = [
  (bytes, random) => {
    const flipped = Uint8Array.from(bytes);
    for (let left = 1 + random.int(8); left > 0; left--) {
      const at = random.int(flipped.length);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << random.int(8));
    }
    return flipped;
  },
  (bytes, random) => bytes.slice(0, random.int(bytes.length)),
  (bytes, random) => {
    const over = Uint8Array.from(bytes);
    const at = random.int(over.length);
    const isZero = random.int(2) === 0;
    for (let i = at; i < Math.min(over.length, at + 1 + random.int(600)); i++) over[i] = isZero ? 0 : random.int(256);
    return over;
  },
  (bytes, random) => {
    const [at, count] = [random.int(bytes.length), 1 + random.int(64)];
    return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + count)]);
  },
  (bytes, random) => {
    const [at, count] = [random.int(bytes.length), 1 + random.int(64)];
    return Uint8Array.from([...bytes.subarray(0, at + count), ...bytes.subarray(at)]);
  },
];

/**
 * The file after a stranger has edited one or two places of its metadata or graph, sealed again or not sealed at all. It is refused
 * (UserError), or answers within the rules: one of its labels, finite numbers.
 */
export function forgeModel(bytes: Uint8Array, random: Rng): Uint8Array {
  const model = ModelProto.decode(bytes);
  model.metadataProps = model.metadataProps.filter(({ key }) => key !== SEAL_KEY);
  for (let left = 1 + random.int(2); left > 0; left--)
    random.pick([forgeMetadata, forgeGraph, forgeGraph])(model, random);
  const forged = ModelProto.encode(model).finish();
  const damaged = random.int(4) === 0 ? damageModel(forged, random) : forged;
  return random.int(2) === 0 ? sealModel(damaged) : damaged;
}

const TEXTS: readonly string[] = [
  ...[
    '',
    'null',
    '[]',
    '{}',
    '[[',
    '"',
    '1e999',
    '["N"]',
    '["N",0]',
    '["N",3.5]',
    '["N",1e308,1e308]',
    '[0,1e999]',
    '[5,5]',
  ],
  ...[
    '["N",3,4096,4096]',
    '["N",3,1,1]',
    '["a","a"]',
    '[1,2]',
    '["\\u001b[2J"]',
    '["__proto__","b","c","d"]',
    'regression',
  ],
  ...[
    'classification',
    'values',
    '{"columns":[],"label":"x"}',
    '{"columns":[{"name":"a","kind":"number","missing":1e999}]}',
  ],
  ...[`${'['.repeat(500)}`, JSON.stringify(Array.from({ length: 5000 }, (_, i) => `${i}`))],
];

function forgeMetadata(model: Model, random: Rng): void {
  const props = model.metadataProps ?? [];
  const prop = props.length === 0 ? undefined : random.pick(props);
  if (prop === undefined) return;
  switch (random.int(4)) {
    case 0:
      model.metadataProps = props.filter((one) => one !== prop);
      return;
    case 1:
      prop.value = random.pick(TEXTS);
      return;
    case 2:
      prop.value = (prop.value ?? '').replace(/\d+/, () => random.pick(['0', '-1', '7', '100000000', '1e999']));
      return;
    default:
      prop.value = (prop.value ?? '').slice(0, random.int(1 + (prop.value ?? '').length));
  }
}

const NUMBERS = [0, -1, 1, 2, 3, 65_535, 2 ** 31 - 1, -(2 ** 31), 2 ** 53, -(2 ** 53)];
const TYPES = [
  'If',
  'Loop',
  'Foo',
  'Relu',
  'Conv',
  'Reshape',
  'Expand',
  'Pad',
  'RandomNormal',
  'MatMul',
  'Transpose',
  'MaxPool',
];

function forgeGraph({ graph }: Model, random: Rng): void {
  if (graph === null || graph === undefined) return;
  random.pick(GRAPH_FORGERIES)(graph, random);
}

const oneOf = <T>(items: readonly T[] | null | undefined, random: Rng): T | undefined =>
  items === null || items === undefined || items.length === 0 ? undefined : random.pick(items);

const GRAPH_FORGERIES: readonly ((graph: Graph, random: Rng) => void)[] = [
  (graph, random) => {
    const node = oneOf(graph.node, random);
    if (node !== undefined) node.opType = random.pick(TYPES);
  },
  (graph, random) => {
    const node = oneOf(graph.node, random);
    if (node !== undefined) node.domain = random.pick(['com.microsoft', 'ai.onnx.ml', '../../x']);
  },
  (graph, random) => {
    const attribute = oneOf(oneOf(graph.node, random)?.attribute, random);
    if (attribute === undefined) return;
    attribute.i = random.pick(NUMBERS);
    attribute.ints = (attribute.ints ?? []).map(() => random.pick(NUMBERS));
  },
  (graph, random) => {
    const node = oneOf(graph.node, random);
    const names = [...(graph.initializer ?? []), ...(graph.input ?? [])].map(({ name }) => name ?? '');
    if (node?.input) node.input[random.int(node.input.length)] = random.pick([...names, 'nowhere', '']);
  },
  (graph, random) => {
    graph.node = (graph.node ?? []).filter(() => random.int(6) > 0);
  },
  (graph, random) => {
    graph.node = random.shuffle(graph.node ?? []);
  },
  (graph, random) => {
    const tensor = oneOf(graph.initializer, random);
    if (tensor?.dims) tensor.dims = tensor.dims.map(() => random.pick(NUMBERS));
  },
  (graph, random) => {
    const ints = (graph.initializer ?? []).filter(({ dataType }) => dataType === TensorProto.DataType.INT64);
    const tensor = oneOf(ints, random);
    const count = (tensor?.rawData?.length ?? 0) / 8;
    if (tensor === undefined) return;
    tensor.rawData = new Uint8Array(BigInt64Array.from({ length: count }, () => BigInt(random.pick(NUMBERS))).buffer);
  },
  (graph, random) => {
    const tensor = oneOf(graph.initializer, random);
    if (tensor === undefined) return;
    tensor.dataLocation = TensorProto.DataLocation.EXTERNAL;
    tensor.externalData = [{ key: 'location', value: random.pick(['/etc/passwd', '../weights.bin']) }];
    if (random.int(2) === 0) tensor.rawData = new Uint8Array();
  },
  (graph, random) => {
    const tensor = oneOf(graph.initializer, random);
    if (tensor !== undefined) tensor.dataType = random.int(24);
  },
  (graph, random) => {
    const tensor = oneOf(graph.initializer, random);
    if (tensor?.rawData) tensor.rawData = Uint8Array.from(tensor.rawData, () => random.pick([0, 127, 128, 192, 255]));
  },
  (graph, random) => {
    const info = oneOf([...(graph.input ?? []), ...(graph.output ?? [])], random);
    const dimension = oneOf(info?.type?.tensorType?.shape?.dim, random);
    if (dimension !== undefined) dimension.dimValue = random.pick(NUMBERS);
    else if (info !== undefined) info.name = 'other';
  },
  (graph, random) => {
    const info = oneOf([...(graph.input ?? []), ...(graph.output ?? [])], random);
    if (info !== undefined) info.name = random.pick(['other', '', 'input', 'probabilities', '\u001b[2J']);
  },
  (graph, random) => {
    const node = oneOf(graph.node, random);
    const inner = { name: 'then_branch', type: AttributeProto.AttributeType.GRAPH, g: { name: 'g', node: [] } };
    if (node !== undefined) node.attribute = [...(node.attribute ?? []), inner];
  },
];
