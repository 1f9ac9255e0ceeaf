import type { Module, Size, Value, ValueChoice } from '../../space/tree/module.ts';

/** Module kinds that are drawn as one line; the others give the drawing its structure. */
export type LeafKind = Exclude<
  Module['kind'],
  | 'sequential'
  | 'residual'
  | 'repeat'
  | 'dag'
  | 'stack'
  | 'choice'
  | 'scope'
  | 'shared'
  | 'rows'
  | 'auxiliary'
  | 'recurrentCell'
>;
export type Leaf = Extract<Module, { readonly kind: LeafKind }>;

/** What a layer is for: light ones (activation, normalization) share a block with the layer that they follow. */
export type Family = 'convolution' | 'linear' | 'pooling' | 'light' | 'nothing';

export const FAMILIES = {
  conv: 'convolution',
  convTranspose: 'convolution',
  squeezeExcite: 'convolution',
  factorizedReduce: 'convolution',
  linear: 'linear',
  flatten: 'linear',
  firstChannels: 'light',
  embedding: 'linear',
  attention: 'linear',
  recurrent: 'linear',
  recurrentGraph: 'linear',
  highway: 'linear',
  pool: 'pooling',
  globalPool: 'pooling',
  last: 'pooling',
  resize: 'pooling',
  positions: 'light',
  patches: 'light',
  classToken: 'light',
  piecewiseLinear: 'light',
  batchNorm: 'light',
  layerNorm: 'light',
  activation: 'light',
  glu: 'light',
  dropout: 'light',
  dropPath: 'light',
  identity: 'nothing',
  zero: 'nothing',
} as const satisfies Record<LeafKind, Family>;

/** A leaf module in a few words, e.g. `conv 3×3, 32, stride 2`. Values still open are shown as a list or a range. */
export function describe(module: Leaf): string {
  switch (module.kind) {
    case 'conv': {
      const parts = [`conv ${square(module.kernel)}`, channelsText(module)];
      if (module.stride !== 1) parts.push(`stride ${side(module.stride)}`);
      if (module.dilation !== 1) parts.push(`dilation ${side(module.dilation)}`);
      if (module.groups === 'depthwise') parts[0] = `depthwise ${parts[0]}`;
      else if (module.groups !== 1) parts.push(`groups ${show(module.groups)}`);
      if (module.bias) parts.push('bias');
      if (module.padding === 'causal') parts[0] = `causal ${parts[0]}`;
      return listed(parts);
    }
    case 'convTranspose':
      return listed([
        `transposed conv ${square(module.kernel)}`,
        module.channels === 'same' ? undefined : show(module.channels),
        `stride ${side(module.stride)}`,
        module.bias ? 'bias' : undefined,
      ]);
    case 'resize':
      return `${show(module.mode)} resize ${module.factor === 'input' ? 'to the input' : `×${show(module.factor)}`}`;
    case 'batchNorm':
      return module.affine ? 'batch norm' : 'batch norm (not affine)';
    case 'layerNorm':
      return `layer norm${normAxes(module.axes)}${module.affine ? '' : ' (not affine)'}`;
    case 'activation':
      return isOpen(module.fn) ? show(module.fn) : ACTIVATION_NAMES[module.fn];
    case 'glu':
      return `gated linear unit, ${isOpen(module.fn) ? show(module.fn) : ACTIVATION_NAMES[module.fn]}`;
    case 'pool': {
      const parts = [`${show(module.op)} pool ${square(module.kernel)}`];
      if (module.stride !== 1) parts.push(`stride ${side(module.stride)}`);
      return listed(parts);
    }
    case 'last':
      return module.at === 'end' ? 'last position' : 'first position';
    case 'embedding':
      return listed([
        `embedding of ${module.vocabulary === 'inputs' ? 'inputs' : show(module.vocabulary)}, ${show(module.channels)}`,
        module.dropout === 0 ? undefined : `dropout ${show(module.dropout)}`,
      ]);
    case 'positions':
      return `${show(module.encoding)} positions`;
    case 'patches':
      return `patches ${square(module.size)}`;
    case 'classToken':
      return 'class token';
    case 'piecewiseLinear':
      return `piecewise linear, bins ${show(module.bins)}`;
    case 'attention':
      return listed([
        `${module.causal ? 'causal ' : ''}attention, heads ${show(module.heads)}`,
        module.window === 'all' ? undefined : `window ${show(module.window)}`,
        module.relative ? 'relative positions' : undefined,
        module.dropout === 0 ? undefined : `dropout ${show(module.dropout)}`,
      ]);
    case 'recurrent':
      return listed([
        isOpen(module.cell) ? show(module.cell) : module.cell.toUpperCase(),
        module.units === 'same' ? undefined : show(module.units),
        module.reverse ? 'backwards' : undefined,
        module.weightDrop === 0 ? undefined : `weight drop ${show(module.weightDrop)}`,
      ]);
    case 'recurrentGraph':
      return `recurrent cell of ${module.nodes.length} nodes, ${show(module.units)}`;
    case 'highway':
      return listed([
        `highway, ${isOpen(module.fn) ? show(module.fn) : module.fn === 'identity' ? 'identity' : ACTIVATION_NAMES[module.fn]}`,
        module.dropout === 0 ? undefined : `dropout ${show(module.dropout)}`,
      ]);
    case 'globalPool':
      return `global ${show(module.op)} pool`;
    case 'linear':
      return listed([`linear ${unitsText(module)}`, module.bias ? undefined : 'no bias']);
    case 'flatten':
      return 'flatten';
    case 'firstChannels':
      return `first ${show(module.channels)} channels`;
    case 'dropout':
      return `dropout ${show(module.rate)}${module.over === 'channels' ? ' of channels' : ''}`;
    case 'dropPath':
      return `drop path ${show(module.rate)}`;
    case 'identity':
      return 'identity';
    case 'zero':
      return 'zero';
    case 'squeezeExcite':
      return `squeeze-and-excite ${show(module.ratio)}`;
    case 'factorizedReduce':
      return listed(['factorized reduce', module.channels === 'same' ? undefined : show(module.channels)]);
  }
}

function unitsText({ units, multiple }: Extract<Module, { readonly kind: 'linear' }>): string {
  if (units === 'outputs') return 'to outputs';
  return units === 'same' ? `×${show(multiple)}` : show(units);
}

function channelsText({ channels, multiple }: Extract<Module, { readonly kind: 'conv' }>): string | undefined {
  if (channels !== 'same') return show(channels);
  return multiple === 1 ? undefined : `channels ×${show(multiple)}`;
}

const ACTIVATION_NAMES = {
  relu: 'ReLU',
  relu6: 'ReLU6',
  sigmoid: 'sigmoid',
  hardSigmoid: 'hard-sigmoid',
  tanh: 'tanh',
  silu: 'SiLU',
  gelu: 'GELU',
  hardSwish: 'hard-swish',
} as const;

function isOpen<T>(value: Value<T>): value is ValueChoice {
  return typeof value === 'object' && value !== null;
}

/** A value, or for an open one its name and domain: `width {8, 16}`, `rate [0, 0.5]`. */
export function show(value: Value<number | string | boolean>): string {
  if (!isOpen(value)) return String(value);
  return value.kind === 'pick'
    ? `${value.name} {${value.values.join(', ')}}`
    : `${value.name} [${value.min}, ${value.max}]`;
}

/** Both sides of a window. */
function square(size: Size): string {
  if (isPair(size)) return `${show(size[0])}×${show(size[1])}`;
  return isOpen(size) ? show(size) : `${size}×${size}`;
}

/** One number where both sides have it. */
const side = (size: Size): string => (isPair(size) ? square(size) : show(size));

function isPair(size: Size): size is readonly [Value<number>, Value<number>] {
  return Array.isArray(size);
}

function normAxes(axes: Value<'all' | 'channel'>): string {
  if (isOpen(axes)) return ` over ${show(axes)}`;
  return axes === 'all' ? '' : ' by position';
}

function listed(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join(', ');
}

/** The chosen option's key, where the module is a choice already made; options of an open one. */
export function keyOf(module: Module): string | undefined {
  if (module.kind === 'scope') return keyOf(module.body);
  if (module.kind !== 'choice') return undefined;
  return Object.keys(module.options).join(' | ');
}

/** A recurrent layer without its body. */
export function describeCell({ units, dropout }: Extract<Module, { kind: 'recurrentCell' }>): string {
  const [width, rate] = [
    units === 'same' ? undefined : show(units),
    dropout === 0 ? undefined : `dropout ${show(dropout)}`,
  ];
  return listed(['recurrent cell', width, rate]);
}

/** A module in one line, structure as words: `ReLU, conv 3×3, batch norm`. */
export function oneLine(module: Module): string {
  switch (module.kind) {
    case 'sequential': {
      const words = module.children.map(oneLine).filter((word) => word !== 'identity');
      return words.length === 0 ? 'identity' : words.join(' · ');
    }
    case 'scope':
    case 'auxiliary':
      return oneLine(module.body);
    case 'shared':
      return `${oneLine(module.body)} (shared ${module.name})`;
    case 'recurrentCell':
      return `${describeCell(module)}: ${oneLine(module.body)}`;
    case 'rows':
      return `each row: ${oneLine(module.body)}`;
    case 'choice': {
      const options = Object.values(module.options);
      const only = options.length === 1 ? options[0] : undefined;
      return only === undefined ? `${module.name} {${Object.keys(module.options).join(' | ')}}` : oneLine(only);
    }
    case 'residual':
      return `(${oneLine(module.body)}) + ${oneLine(module.shortcut) === 'identity' ? 'input' : `(${oneLine(module.shortcut)})`}`;
    case 'repeat':
      return `(${oneLine(module.body)}) ×${typeof module.times === 'number' ? module.times : module.times.name}`;
    case 'stack':
      return module.cells.map(oneLine).join(' · ');
    case 'dag':
      return `cell of ${module.nodes.length} nodes`;
    default:
      return describe(module);
  }
}
