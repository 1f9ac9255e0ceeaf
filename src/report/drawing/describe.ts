import type { Module, Value, ValueChoice } from '../../space/module.ts';

/** Module kinds that are drawn as one line; the others give the drawing its structure. */
export type LeafKind = Exclude<
  Module['kind'],
  'sequential' | 'residual' | 'repeat' | 'dag' | 'stack' | 'choice' | 'scope'
>;
export type Leaf = Extract<Module, { readonly kind: LeafKind }>;

/** What a layer is for: light ones (activation, normalisation) share a block with the layer that they follow. */
export type Family = 'convolution' | 'linear' | 'pooling' | 'light' | 'nothing';

export const FAMILIES = {
  conv: 'convolution',
  squeezeExcite: 'convolution',
  factorisedReduce: 'convolution',
  linear: 'linear',
  flatten: 'linear',
  pool: 'pooling',
  globalPool: 'pooling',
  batchNorm: 'light',
  layerNorm: 'light',
  activation: 'light',
  dropout: 'light',
  dropPath: 'light',
  identity: 'nothing',
  zero: 'nothing',
} as const satisfies Record<LeafKind, Family>;

/** A leaf module in a few words, e.g. `conv 3×3, 32, stride 2`. Values still open are shown as a list or a range. */
export function describe(module: Leaf): string {
  switch (module.kind) {
    case 'conv': {
      const parts = [`conv ${square(module.kernel)}`, module.channels === 'same' ? undefined : show(module.channels)];
      if (module.stride !== 1) parts.push(`stride ${show(module.stride)}`);
      if (module.dilation !== 1) parts.push(`dilation ${show(module.dilation)}`);
      if (module.groups === 'depthwise') parts[0] = `depthwise ${parts[0]}`;
      else if (module.groups !== 1) parts.push(`groups ${show(module.groups)}`);
      if (module.bias) parts.push('bias');
      return listed(parts);
    }
    case 'batchNorm':
      return module.affine ? 'batch norm' : 'batch norm (not affine)';
    case 'layerNorm':
      return module.affine ? 'layer norm' : 'layer norm (not affine)';
    case 'activation':
      return isOpen(module.fn) ? show(module.fn) : ACTIVATION_NAMES[module.fn];
    case 'pool': {
      const parts = [`${show(module.op)} pool ${square(module.kernel)}`];
      if (module.stride !== 1) parts.push(`stride ${show(module.stride)}`);
      return listed(parts);
    }
    case 'globalPool':
      return `global ${show(module.op)} pool`;
    case 'linear':
      return listed([
        `linear ${module.units === 'outputs' ? 'to outputs' : show(module.units)}`,
        module.bias ? undefined : 'no bias',
      ]);
    case 'flatten':
      return 'flatten';
    case 'dropout':
      return `dropout ${show(module.rate)}`;
    case 'dropPath':
      return `drop path ${show(module.rate)}`;
    case 'identity':
      return 'identity';
    case 'zero':
      return 'zero';
    case 'squeezeExcite':
      return `squeeze-and-excite ${show(module.ratio)}`;
    case 'factorisedReduce':
      return listed(['factorised reduce', module.channels === 'same' ? undefined : show(module.channels)]);
  }
}

const ACTIVATION_NAMES = {
  relu: 'ReLU',
  sigmoid: 'sigmoid',
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

function square(size: Value<number>): string {
  return isOpen(size) ? show(size) : `${size}×${size}`;
}

function listed(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join(', ');
}
