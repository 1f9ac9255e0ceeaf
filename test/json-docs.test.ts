import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { json } from './support/netsmith.ts';

/** What docs/json.md promises of a value: `{ a, b?, c: {...}, NAME: {...} }`, `[...]`, or a word, which says nothing of it. */
type Shape =
  | { readonly kind: 'any' }
  | { readonly kind: 'list'; readonly of: Shape }
  | {
      readonly kind: 'object';
      readonly keys: readonly { readonly name: string; readonly optional: boolean; readonly of: Shape }[];
    };

const ANY: Shape = { kind: 'any' };

function readShape(text: string): Shape {
  const tokens = text.match(/[{}[\]:,?]|\w+/g) ?? [];
  let at = 0;
  const shape = (): Shape => {
    const token = tokens[at++];
    if (token === '[') {
      const of = shape();
      at++;
      return { kind: 'list', of };
    }
    if (token !== '{') return ANY;
    const keys = [];
    while (at < tokens.length && tokens[at] !== '}') {
      const name = tokens[at++] ?? '';
      const optional = tokens[at] === '?' && at++ > 0;
      const of = tokens[at] === ':' && at++ > 0 ? shape() : ANY;
      keys.push({ name, optional, of });
      if (tokens[at] === ',') at++;
    }
    at++;
    return { kind: 'object', keys };
  };
  return shape();
}

function check(value: unknown, shape: Shape, place: string): void {
  if (shape.kind === 'any' || value === null) return;
  if (shape.kind === 'list') {
    assert.ok(Array.isArray(value), `${place} is a list`);
    for (const [i, one] of value.entries()) check(one, shape.of, `${place}[${i}]`);
    return;
  }
  assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value), `${place} is an object`);
  const found = value as Readonly<Record<string, unknown>>;
  for (const { name, optional, of } of shape.keys) {
    // STATE, METRIC, ...: keys that depend on the study.
    if (name === name.toUpperCase()) for (const [key, one] of Object.entries(found)) check(one, of, `${place}.${key}`);
    else if (Object.hasOwn(found, name)) check(found[name], of, `${place}.${name}`);
    else assert.ok(optional, `${place} has ${name}, as docs/json.md says`);
  }
}

const rows = readFileSync(join(import.meta.dirname, '..', 'docs', 'json.md'), 'utf8').matchAll(
  /^\| (`.*?`) \| (.*) \|$/gm,
);
const promised = new Map(
  [...rows].flatMap(([, commands = '', value = '']) =>
    [...commands.matchAll(/`([^`]+)`/g)].map(([, command = '']) => [command, value] as const),
  ),
);
const shapeOf = (command: string) => readShape(/`([^`]+)`/.exec(promised.get(command) ?? '')?.[1] ?? '');

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-json-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('the notation is read, and a missing key is noticed', () => {
  const shape = readShape('{ a, b?, c: [{ d: { KEY: { e } } }] }');
  check({ a: 1, c: [{ d: { x: { e: 1 } } }] }, shape, 'it');
  assert.throws(() => check({ a: 1, c: [{ d: { x: {} } }] }, shape, 'it'), /it\.c\[0\]\.d\.x has e/);
  assert.throws(() => check({ c: [] }, shape, 'it'), /it has a/);
});

test('every command prints the JSON that docs/json.md promises', async () => {
  const [dir, image] = [join(folder, 'study'), join(folder, 'zero.png')];
  await sharp({ create: { width: 8, height: 8, channels: 3, background: 'white' } })
    .png()
    .toFile(image);
  const small = ['--space', 'mlp', '--epochs', '1', '--train-samples', '60'];
  const arch = 'depth=1, layer/0/width=16, normalisation=none, activation=relu, dropout=0';
  const calls: Readonly<Record<string, readonly string[]>> = {
    search: [...small, '--trials', '2', '--out', dir],
    resume: [dir, '--trials', '3'],
    best: [dir],
    status: [dir],
    trials: [dir],
    show: [dir],
    train: [...small, '--arch', arch, '--test'],
    scale: [dir, '--out', join(folder, 'larger.json')],
    evaluate: [dir, '--seeds', '1'],
    export: [dir],
    measure: [dir, '--watts', '5', '--lambda', '0.01'],
    predict: [join(dir, 'best', 'model.onnx'), image],
    report: [dir],
    compare: [
      '--benchmark',
      'nas-bench-201',
      '--strategies',
      'random',
      '--seeds',
      '2',
      '--trials',
      '5',
      '--out',
      join(folder, 'compared'),
    ],
    spaces: [],
    data: [],
    init: [folder, '--data', 'digits', '--yes'],
    ls: [folder],
    samples: ['mlp', '--count', '2'],
    profile: [
      ...['--space', 'small-cnn', '--input', '1,8,8', '--out', join(folder, 'table.json')],
      ...['--blocks', '3', '--calibrate', '0', '--check', '2'],
    ],
    strategies: [],
    doctor: [],
    completion: ['bash'],
  };
  assert.deepEqual([...promised.keys()].sort(), [...Object.keys(calls), 'run'].sort(), 'every command is documented');
  for (const [command, args] of Object.entries(calls)) {
    const shape = shapeOf(command);
    assert.notEqual(shape.kind, 'any', command);
    check(await json(command, ...args), shape, command);
  }
});

test('run prints what search, evaluate and export do, and the report', async () => {
  const args = [
    '--space',
    'mlp',
    '--epochs',
    '1',
    '--train-samples',
    '60',
    '--trials',
    '1',
    '--confirm',
    '0',
    '--seeds',
    '1',
  ];
  const found = await json('run', ...args, '--no-baselines', '--out', join(folder, 'run'));
  check(found, shapeOf('search'), 'run');
  check(found.evaluation, shapeOf('evaluate'), 'run.evaluation');
  check(found.export, shapeOf('export'), 'run.export');
  assert.equal(typeof found.report, 'string');
});
