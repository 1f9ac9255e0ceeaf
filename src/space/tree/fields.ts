import { UserError } from '../../common/errors.ts';
import { deepFreeze } from '../../common/json.ts';
import { showLimit } from '../../common/rules.ts';
import type { ActivationFunction, DagNode, InputsChoice, Module, Read, ValueChoice } from './module.ts';
import { checkRecurrentNodes } from './recurrent-graph.ts';

/**
 * What each field of each module kind may hold: the one table from which builders, the JSON reader and the walk over a
 * tree are derived. A new module kind is a member of `Module` and a row here.
 */
export type Field =
  /**
   * A number, word or boolean; `open`: a value choice may replace it; `whole`: only whole numbers are accepted; `pair`: two of
   * them may replace it, [height, width]; `initial`: what a module without the field has, as stored spaces of older versions.
   */
  | {
      readonly holds: 'value';
      readonly open: boolean;
      readonly whole: boolean;
      readonly pair?: true;
      readonly initial?: string | boolean | number;
      readonly rule: string;
      accepts(value: unknown): boolean;
    }
  | { readonly holds: 'name' }
  | { readonly holds: 'module' }
  | { readonly holds: 'modules' }
  | { readonly holds: 'options' }
  | { readonly holds: 'nodes' }
  /** The nodes of a `recurrentGraph`: plain data, without modules or choices. */
  | { readonly holds: 'cell' };

type ValueField = Extract<Field, { holds: 'value' }>;

const isWhole =
  (min: number) =>
  (v: unknown): v is number =>
    typeof v === 'number' && Number.isSafeInteger(v) && v >= min;

/** `max`: a larger number is a mistake, and would use up all memory before any other check. */
function whole(min: number, max: number, ...words: readonly string[]): ValueField {
  const accepts = (v: unknown) => (isWhole(min)(v) && v <= max) || words.includes(v as string);
  const also = words.map((word) => `, or '${word}'`).join('');
  const rule = `must be a whole number from ${min} to ${showLimit(max)}${also}`;
  return { holds: 'value', open: true, whole: true, rule, accepts };
}

/** One number for both sides, or [height, width]. */
const size = (min: number): ValueField => ({ ...whole(min, MOST_PIXELS), pair: true });

const MOST_CHANNELS = 1_000_000;
const MOST_PIXELS = 4096;
const MOST_ROUNDS = 10_000;
const MOST_NODES = 200;

function word(open: boolean, ...words: readonly string[]): ValueField {
  const accepts = (v: unknown) => words.includes(v as string);
  return { holds: 'value', open, whole: false, rule: `must be one of ${words.join(', ')}`, accepts };
}

function real(open: boolean, rule: string, inside: (v: number) => boolean): ValueField {
  const accepts = (v: unknown) => typeof v === 'number' && Number.isFinite(v) && inside(v);
  return { holds: 'value', open, whole: false, rule, accepts };
}

/** The field, or one of some words. */
function either(field: ValueField, ...words: readonly string[]): ValueField {
  const also = words.map((one) => `, or '${one}'`).join('');
  const accepts = (v: unknown) => field.accepts(v) || words.includes(v as string);
  return { ...field, rule: field.rule + also, accepts };
}

const flag: ValueField = {
  holds: 'value',
  open: false,
  whole: false,
  rule: 'must be true or false',
  accepts: (v) => typeof v === 'boolean',
};
const closed = (field: ValueField): ValueField => ({ ...field, open: false });
const rate = real(true, 'must be at least 0 and below 1', (v) => v >= 0 && v < 1);
const epsilon = real(false, 'must be above 0', (v) => v > 0);
const activationFunction = word(
  true,
  ...([
    'relu',
    'relu6',
    'sigmoid',
    'hardSigmoid',
    'tanh',
    'silu',
    'gelu',
    'hardSwish',
  ] as const satisfies readonly ActivationFunction[]),
);
/** Of channels 'same'. */
const multiple: ValueField = {
  ...real(true, 'must be above 0 and at most 64', (v) => v > 0 && v <= 64),
  initial: 1,
};
const name: Field = { holds: 'name' };
const module: Field = { holds: 'module' };

type ModuleOf<K extends Module['kind']> = Extract<Module, { kind: K }>;
type FieldsOf<K extends Module['kind']> = { readonly [F in Exclude<keyof ModuleOf<K>, 'kind'>]: Field };

export const FIELDS = {
  conv: {
    channels: whole(1, MOST_CHANNELS, 'same'),
    multiple,
    kernel: size(1),
    stride: size(1),
    dilation: size(1),
    groups: whole(1, MOST_CHANNELS, 'depthwise'),
    bias: flag,
    padding: { ...word(false, 'half', 'causal'), initial: 'half' },
  },
  convTranspose: { channels: whole(1, MOST_CHANNELS, 'same'), kernel: size(1), stride: size(1), bias: flag },
  resize: {
    mode: word(true, 'nearest', 'bilinear'),
    factor: either(
      real(true, 'must be above 0 and at most 64', (v) => v > 0 && v <= 64),
      'input',
    ),
  },
  batchNorm: {
    affine: flag,
    momentum: real(false, 'must be above 0 and at most 1', (v) => v > 0 && v <= 1),
    epsilon,
  },
  layerNorm: {
    affine: flag,
    bias: { ...flag, initial: true },
    epsilon,
    axes: { ...word(true, 'all', 'channel'), initial: 'all' },
  },
  activation: { fn: activationFunction },
  glu: { fn: activationFunction },
  pool: {
    op: word(true, 'max', 'average'),
    kernel: size(1),
    stride: size(1),
    padding: { ...closed(whole(0, MOST_PIXELS, 'half')), pair: true },
  },
  globalPool: { op: word(true, 'max', 'average') },
  linear: { units: whole(1, MOST_CHANNELS, 'outputs', 'same'), multiple, bias: flag },
  last: { at: { ...word(false, 'end', 'start'), initial: 'end' } },
  embedding: {
    vocabulary: whole(1, MOST_CHANNELS, 'inputs'),
    channels: whole(1, MOST_CHANNELS),
    dropout: { ...rate, initial: 0 },
  },
  positions: { encoding: word(true, 'learned', 'sinusoidal'), length: closed(whole(1, MOST_CHANNELS, 'input')) },
  patches: { size: whole(1, MOST_PIXELS) },
  classToken: {},
  piecewiseLinear: { bins: whole(0, MOST_PIXELS) },
  attention: {
    heads: whole(1, MOST_PIXELS),
    causal: flag,
    window: whole(1, MOST_CHANNELS, 'all'),
    relative: { ...flag, initial: false },
    dropout: rate,
    bias: flag,
  },
  recurrent: {
    cell: word(true, 'rnn', 'gru', 'lstm'),
    units: whole(1, MOST_CHANNELS, 'same'),
    weightDrop: { ...rate, initial: 0 },
    reverse: { ...flag, initial: false },
  },
  recurrentCell: { units: whole(1, MOST_CHANNELS, 'same'), dropout: rate, body: module },
  recurrentGraph: { units: whole(1, MOST_CHANNELS), nodes: { holds: 'cell' } },
  highway: { fn: either(activationFunction, 'identity'), dropout: rate },
  flatten: {},
  firstChannels: { channels: whole(1, MOST_CHANNELS) },
  dropout: { rate, over: { ...word(false, 'elements', 'channels'), initial: 'elements' } },
  dropPath: { rate, growing: { ...flag, initial: false } },
  identity: {},
  zero: { stride: whole(1, MOST_PIXELS) },
  sequential: { children: { holds: 'modules' } },
  residual: { body: module, shortcut: module },
  shared: { name, body: module },
  rows: { body: module },
  auxiliary: {
    body: module,
    head: module,
    weight: real(false, 'must be above 0 and at most 10', (v) => v > 0 && v <= 10),
  },
  repeat: { times: whole(0, MOST_ROUNDS), body: module },
  dag: {
    entries: { holds: 'modules' },
    nodes: { holds: 'nodes' },
    output: word(true, 'last', 'concat', 'loose', 'mean', 'looseMean'),
  },
  stack: { cells: { holds: 'modules' } },
  squeezeExcite: {
    ratio: real(true, 'must be above 0 and at most 1', (v) => v > 0 && v <= 1),
    fn: { ...activationFunction, initial: 'relu' },
    gate: { ...word(true, 'sigmoid', 'hardSigmoid'), initial: 'sigmoid' },
    divisor: { ...closed(whole(1, MOST_PIXELS)), initial: 1 },
  },
  factorizedReduce: { channels: whole(1, MOST_CHANNELS, 'same'), affine: flag },
  choice: { name, options: { holds: 'options' } },
  scope: { name, body: module },
} as const satisfies { readonly [K in Module['kind']]: FieldsOf<K> };

/** The fields of a kind, by name, in the order in which a walk meets them. */
export function fieldsOf(kind: Module['kind']): Readonly<Record<string, Field>> {
  return FIELDS[kind];
}

/** For error messages, in a few words: wrong input can be large. */
export function quoted(value: unknown): string {
  if (typeof value === 'function')
    return `a function${value.name === '' ? '' : ` (${value.name}, which must be called)`}`;
  if (typeof value === 'string') return shortened(JSON.stringify(value));
  if (value instanceof Promise) return 'a promise';
  if (Array.isArray(value) && !value.every((one) => typeof one === 'number')) return `a list of ${value.length}`;
  if (value === null || typeof value !== 'object') return String(value);
  if ('kind' in value) return `of kind ${shortened(String(value.kind))}`;
  if ('create' in value) return 'a search space';
  return Array.isArray(value)
    ? shortened(JSON.stringify(value))
    : `an object with ${shortened(Object.keys(value).join(', ') || 'nothing in it')}`;
}

const shortened = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}...` : text);

/** An error without its place, which the caller adds (`defineSpace`, the JSON reader). */
function broken(found: string, rule: string): UserError {
  return new UserError(`${found}; ${rule}`);
}

/**
 * Names of decisions, scopes and options stand in the text form and in the paths of parameters, so they cannot hold
 * what separates these: `=`, `,`, `;`, `/`. `->` is fine.
 */
export function checkName(what: string, found: unknown): asserts found is string {
  const fine = typeof found === 'string' && /^[^=,;/\s{][^=,;/\n]*$/u.test(found) && !/\s$/u.test(found);
  // Architectures are plain objects, in which these would be found without being there.
  if (!fine || found in Object.prototype) {
    throw broken(
      `${what} is ${quoted(found)}`,
      'a name has at least one character, none of "=", ",", ";", "/", no "{" at its start, no space at its ends, and is no ' +
        'property of every object',
    );
  }
}

export const isValueChoice = (value: unknown): value is ValueChoice =>
  isObject(value) && (value.kind === 'pick' || value.kind === 'int' || value.kind === 'float');

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

const VALUE_CHOICE_FIELDS = {
  pick: ['kind', 'name', 'values'],
  int: ['kind', 'name', 'min', 'max', 'log'],
  float: ['kind', 'name', 'min', 'max', 'log'],
} as const satisfies Record<ValueChoice['kind'], readonly string[]>;

/** Checks and freezes a choice in the place of a value. Throws UserError. */
export function valueChoice(choice: ValueChoice): ValueChoice {
  checkName(`name of ${choice.kind}`, choice.name);
  const place = `${choice.kind} "${choice.name}"`;
  checkFields(place, choice, VALUE_CHOICE_FIELDS[choice.kind]);
  if (choice.kind === 'pick') {
    if (!Array.isArray(choice.values)) throw broken(`${place} has no list of values`, 'a pick needs at least 2 values');
    const { length } = choice.values;
    if (length < 2) throw broken(`${place} has ${length} value${length === 1 ? '' : 's'}`, 'a pick needs at least 2');
    const seen = new Set<string>();
    for (const value of choice.values) {
      if (typeof value === 'string') checkName(`a value of ${place}`, value);
      else if (typeof value !== 'boolean' && !Number.isFinite(value)) {
        throw broken(`${place} has the value ${quoted(value)}`, 'values are finite numbers, words or booleans');
      }
      if (seen.has(String(value))) throw broken(`${place} has the value ${value} twice`, 'values must differ');
      seen.add(String(value));
    }
  } else {
    const { min, max, log } = choice;
    const isNumber = choice.kind === 'int' ? Number.isSafeInteger : Number.isFinite;
    const numbers = choice.kind === 'int' ? 'whole numbers' : 'numbers';
    if (!isNumber(min) || !isNumber(max) || min >= max) {
      throw broken(`${place} goes from ${min} to ${max}`, `a range needs two ${numbers}, the second above the first`);
    }
    if (typeof log !== 'boolean') throw broken(`log of ${place} is ${quoted(log)}`, 'must be true or false');
    if (log && min <= 0) throw broken(`${place} starts at ${min}`, 'a logarithmic range must start above 0');
  }
  return deepFreeze(choice);
}

/** Checks and freezes a choice of inputs. Throws UserError. */
export function inputsChoice(choice: InputsChoice): InputsChoice {
  checkInputs({ ...choice });
  return deepFreeze(choice);
}

function checkInputs(choice: Readonly<Record<string, unknown>>): { readonly name: string; readonly count: number } {
  const { name, count } = choice;
  checkName('name of pickInputs', name);
  checkFields(`pickInputs "${name}"`, choice, ['kind', 'name', 'count']);
  if (!isWhole(1)(count))
    throw broken(`pickInputs "${name}" picks ${quoted(count)}`, 'must be a whole number of at least 1');
  return { name, count };
}

/**
 * Checks a module's own fields and freezes it; its children have been checked when they were made. A field that older versions
 * lacked gets what they meant. Throws UserError.
 */
export function node<M extends Module>(given: M): M {
  const fields: Readonly<Record<string, Field>> | undefined = Object.hasOwn(FIELDS, given.kind)
    ? fieldsOf(given.kind)
    : undefined;
  if (fields === undefined) {
    throw broken(`module kind is ${quoted(given.kind)}`, `must be one of ${Object.keys(FIELDS).join(', ')}`);
  }
  const values: Readonly<Record<string, unknown>> = given;
  const missing = Object.entries(fields).flatMap(([key, field]) =>
    field.holds === 'value' && field.initial !== undefined && values[key] === undefined ? [[key, field.initial]] : [],
  );
  const found: M = missing.length === 0 ? given : { ...given, ...Object.fromEntries(missing) };
  checkFields(found.kind, found, ['kind', ...Object.keys(fields)]);
  for (const [key, field] of Object.entries(fields)) checkField(found.kind, key, field, found);
  return deepFreeze(found);
}

function checkFields(place: string, found: object, expected: readonly string[]): void {
  for (const key of expected) {
    if (!Object.hasOwn(found, key)) throw broken(`${place} has no field "${key}"`, `needs ${expected.join(', ')}`);
  }
  for (const key of Object.keys(found)) {
    if (!expected.includes(key)) throw broken(`${place} has a field "${key}"`, `may have only ${expected.join(', ')}`);
  }
}

function checkField(kind: string, key: string, field: Field, values: Readonly<Record<string, unknown>>): void {
  const found = values[key];
  switch (field.holds) {
    case 'value':
      checkValue(kind, key, field, found);
      break;
    case 'name':
      // A choice that has been made has its full name, with the scopes around it; `checkedChoice` refuses one of an open choice.
      for (const part of kind === 'choice' && typeof found === 'string' ? found.split('/') : [found])
        checkName(`name of ${kind}`, part);
      break;
    case 'module':
      checkIsModule(`${key} of ${kind}`, found);
      break;
    case 'modules':
      if (!Array.isArray(found)) throw broken(`${key} of ${kind} is ${quoted(found)}`, 'must be a list of modules');
      for (const [i, child] of found.entries()) checkIsModule(`${key}[${i}] of ${kind}`, child);
      break;
    case 'options':
      checkOptions(found);
      break;
    case 'nodes':
      checkNodes(found, values.entries);
      break;
    case 'cell':
      checkRecurrentNodes(found);
      break;
    default:
      field satisfies never;
  }
}

function checkValue(kind: string, key: string, field: ValueField, found: unknown): void {
  if (field.pair === true && Array.isArray(found)) {
    if (found.length !== 2) throw broken(`${key} of ${kind} is ${quoted(found)}`, 'a pair is [height, width]');
    const { pair: _, ...each } = field;
    for (const one of found) checkValue(kind, key, each, one);
    return;
  }
  if (!isValueChoice(found)) {
    if (!field.accepts(found)) throw broken(`${key} of ${kind} is ${quoted(found)}`, field.rule);
    return;
  }
  if (!field.open) throw broken(`${key} of ${kind} is the choice "${found.name}"`, 'this field cannot be left open');
  const values = found.kind === 'pick' ? found.values : [found.min, found.max];
  for (const value of values) {
    if (!field.accepts(value)) {
      throw broken(`${key} of ${kind} can be ${quoted(value)} by ${found.kind} "${found.name}"`, field.rule);
    }
  }
  if (field.whole && found.kind === 'float') {
    throw broken(`${key} of ${kind} is float "${found.name}"`, `${field.rule}: use int`);
  }
}

export function isModule(found: unknown): found is Module {
  return isObject(found) && typeof found.kind === 'string' && Object.hasOwn(FIELDS, found.kind);
}

function checkIsModule(place: string, found: unknown): void {
  if (!isModule(found)) {
    throw broken(`${place} is ${quoted(found)}`, 'must be a module');
  }
}

function checkOptions(found: unknown): void {
  if (!isObject(found)) throw broken(`options of choice is ${quoted(found)}`, 'must be modules by name');
  for (const [key, option] of Object.entries(found)) {
    checkName('option of choice', key);
    checkIsModule(`option "${key}" of choice`, option);
  }
}

/** Checks the number before they are built. Throws UserError. */
export function checkNodeCount(count: unknown): void {
  if (count !== 0 && !(isWhole(1)(count) && count <= MOST_NODES))
    throw broken(`nodes of dag is ${quoted(count)}`, `must be a whole number from 1 to ${MOST_NODES}`);
}

const READ_FIELDS = ['from', 'edges'] as const satisfies readonly (keyof Read)[];
const NODE_FIELDS = [...READ_FIELDS, 'combine', 'body'] as const satisfies readonly (keyof DagNode)[];

function checkNodes(found: unknown, entries: unknown): void {
  const inputs = Array.isArray(entries) ? entries.length : 0;
  if (inputs === 0) throw broken('dag has no entries', 'a dag needs at least 1, for its input');
  if (!Array.isArray(found) || found.length === 0) throw broken('dag has no nodes', 'a dag needs at least 1');
  if (found.length > MOST_NODES) throw broken(`dag has ${found.length} nodes`, `may have up to ${MOST_NODES}`);
  const nodes: readonly unknown[] = found;
  for (const [i, node] of nodes.entries()) {
    const earlier = inputs + i;
    const place = `node ${earlier} of dag`;
    if (!isObject(node)) throw broken(`${place} is ${quoted(node)}`, 'must be an object');
    const { further, ...own } = node;
    checkFields(place, own, NODE_FIELDS);
    checkRead(place, own, earlier);
    checkIsModule(`body of ${place}`, node.body);
    if (node.combine !== 'sum' && node.combine !== 'concat') {
      throw broken(`combine of ${place} is ${quoted(node.combine)}`, 'must be one of sum, concat');
    }
    if (further === undefined) continue;
    if (!Array.isArray(further)) throw broken(`further of ${place} is ${quoted(further)}`, 'must be a list');
    for (const [k, read] of further.entries()) {
      const there = `further[${k}] of ${place}`;
      if (!isObject(read)) throw broken(`${there} is ${quoted(read)}`, 'must be an object');
      checkFields(there, read, READ_FIELDS);
      checkRead(there, read, earlier);
    }
  }
}

function checkRead(place: string, { from, edges }: Readonly<Record<string, unknown>>, earlier: number): void {
  if (!Array.isArray(edges) || edges.length !== earlier) {
    const count = Array.isArray(edges) ? edges.length : 'no list of';
    throw broken(`${place} has ${count} edges`, `needs one from each earlier node: ${earlier}`);
  }
  for (const [j, edge] of edges.entries()) checkIsModule(`edge ${j}->${earlier} of dag`, edge);
  checkFrom(place, from, earlier);
}

function checkFrom(place: string, from: unknown, earlier: number): void {
  if (isObject(from) && from.kind === 'inputs') {
    const { name: choice, count } = checkInputs(from);
    if (count >= earlier) {
      throw broken(
        `${place} picks ${count} of ${earlier} earlier nodes by "${choice}"`,
        'a choice needs at least 2 options: pick fewer, or list the nodes',
      );
    }
    return;
  }
  const rising =
    Array.isArray(from) && from.every((v, k) => isWhole(0)(v) && v < earlier && (k === 0 || v > from[k - 1]));
  if (!rising || from.length === 0) {
    throw broken(
      `from of ${place} is ${quoted(from)}`,
      `must be different earlier nodes (0 to ${earlier - 1}), rising`,
    );
  }
}

/** A choice between modules. Only a resolved choice has a single option, so the check stands here, not in the table. */
export function checkedChoice(found: Extract<Module, { kind: 'choice' }>): Extract<Module, { kind: 'choice' }> {
  checkName('name of choice', found.name);
  const count = isObject(found.options) ? Object.keys(found.options).length : 0;
  if (count < 2) {
    throw broken(`choice "${found.name}" has ${count} option${count === 1 ? '' : 's'}`, 'a choice needs at least 2');
  }
  return node(found);
}
