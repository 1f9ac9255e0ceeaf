import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { parseNumber } from '../src/common/numbers.ts';
import { SPACES } from '../src/space/spaces/index.ts';
import { STRATEGIES } from '../src/strategy/index.ts';
import { flagOf, studySchema } from '../src/study/spec.ts';
import { netsmith } from './support/netsmith.ts';

const NO_NUMBERS = ['', ' ', '1_000', '0x10', '1,5', '١٢', 'NaN', 'Infinity', '-Infinity', '1e400', '--3', '5 5'];
const ODD = ['0', '-1', '-0', '0.5', '1e-9', '1e9', '1e10', '1e308', '9007199254740993', ...NO_NUMBERS];
/** No setting counts anything that there is more of. */
const MOST = 1e15;

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-odd-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** The data set is opened after the settings, the strategy's options among them, were accepted; there is none of this name. */
const ACCEPTED = /^netsmith: data: unknown dataset "none"/;
const NONE = ['--data', 'none'];

/** Runs a command that ends with exit code 2 and one sentence; returns that. */
async function refusal(...args: string[]): Promise<string> {
  const { code, out, err } = await netsmith(...args);
  assert.equal(code, 2, `${args.join(' ')}\n${out}${err}`);
  assert.match(err, /^(netsmith|error): [^\n]+\n(\(Did you mean [^\n]+\n)?$/, args.join(' '));
  assert.equal(out, '');
  return err;
}

test('numbers are read in one way', () => {
  for (const text of NO_NUMBERS) assert.equal(parseNumber(text), undefined, text);
  const read = [' 5 ', '1e3', '.5', '5.', '-0', '+2', '-1e-3'].map(parseNumber);
  assert.deepEqual(read, [5, 1000, 0.5, 5, 0, 2, -0.001]);
});

interface Described {
  readonly type?: string;
  readonly anyOf?: unknown;
}
const described = z.toJSONSchema(studySchema, { io: 'input' }).properties as Readonly<Record<string, Described>>;
const numeric = Object.entries(described)
  .filter(
    ([, { type, anyOf }]) => type === 'number' || type === 'integer' || JSON.stringify(anyOf ?? '').includes('number'),
  )
  .map(([name]) => name);

test('every numeric setting has both limits in the schema, or is one of few values', () => {
  const open = Object.entries(described).filter(([, { type, ...rest }]) => {
    const high = 'maximum' in rest || 'exclusiveMaximum' in rest;
    const low = 'minimum' in rest || 'exclusiveMinimum' in rest;
    return (type === 'number' || type === 'integer') && !(high && low);
  });
  assert.deepEqual(open, []);
  assert.ok(numeric.length > 25);
});

test('an odd number in a flag is refused with the flag, the rule and the value, or is a reasonable value', async () => {
  for (const name of numeric)
    for (const text of ODD) {
      const message = await refusal('search', `${flagOf(name)}=${text}`, ...NONE);
      const value = parseNumber(text);
      if (ACCEPTED.test(message)) {
        assert.ok(value !== undefined && value >= 0, `${name} accepts "${text}"`);
        const most = { seed: Number.MAX_SAFE_INTEGER, learningRate: 1e38 }[name] ?? MOST;
        assert.ok(value <= most, `${name} accepts ${text}`);
      } else if (!message.includes('warmupEpochs')) {
        assert.ok(message.startsWith(`netsmith: ${flagOf(name)}: `), message);
        assert.ok(message.includes(value === undefined ? `"${text}"` : JSON.stringify(value)), message);
        // A reasonable value of a flag that needs others.
        if (!(name.startsWith('device') && message.includes('; needs --max-latency')))
          assert.match(message, /; must be/, message);
      }
    }
});

test('odd durations, sizes and targets are refused', async () => {
  const odd = ['0s', '-5m', '1e400m', '1e3s', 'Infinity', 'NaN', '', ' ', '5 parsecs', '999999999h', '0x10s', '٥m'];
  for (const text of odd)
    assert.match(await refusal('search', `--time=${text}`, ...NONE), /--time: ".*"; must be a number followed by s/);
  for (const text of ['0', '0GB', '1e30GB', '-4GB', '4', '4 parsecs', '', 'NaNGB', '99999999999GB'])
    assert.match(
      await refusal('search', `--memory=${text}`, ...NONE),
      /--memory: ".*"; must be a number followed by MB/,
    );
  for (const text of ['accuracy=', 'accuracy=NaN', 'accuracy=0x1', 'accuracy=97', 'x=1', 'constructor=1', '=1', ''])
    assert.match(await refusal('search', `--until=${text}`, ...NONE), /--until: ".*"; must be METRIC=VALUE/);
});

test('an odd number in an option of a strategy is refused, or is one that its state can hold', async () => {
  for (const { name, defaults } of Object.values(STRATEGIES))
    for (const [option, preset] of Object.entries(defaults)) {
      if (typeof preset !== 'number') continue;
      for (const text of ODD.filter((odd) => !odd.includes(','))) {
        const pair = `${option}=${text}`;
        const message = await refusal(
          'search',
          '--strategy',
          name,
          '--strategy-options',
          pair,
          '--epochs',
          '100',
          ...NONE,
        );
        const value = parseNumber(text);
        if (ACCEPTED.test(message)) assert.ok(value !== undefined && value >= 0 && value <= 1e6, `${name} ${pair}`);
        else assert.match(message, new RegExp(`strategy "${name}": `), pair);
      }
    }
});

test('an odd number in an option of a space is refused before anything is built', async () => {
  for (const { name, defaults } of Object.values(SPACES))
    for (const [option, preset] of Object.entries(defaults)) {
      if (typeof preset !== 'number') continue;
      for (const text of ODD.filter((odd) => !odd.includes(',') && !['0', '-0', '0.5', '1e-9'].includes(odd))) {
        const message = await refusal('show', '--space', name, '--space-options', `${option}=${text}`);
        assert.match(message, new RegExp(`^netsmith: space "${name}": option ${option} is `), `${option}=${text}`);
      }
    }
});

test('counts outside the settings have limits, too', async () => {
  for (const text of ['0', '-1', '0.5', '1e10', 'NaN', '0x10', ''])
    for (const args of [
      ['run', ...NONE],
      ['evaluate', folder],
      ['compare', '--strategies', 'tpe', ...NONE],
    ])
      assert.match(await refusal(...args, `--seeds=${text}`), /--seeds: .*; must be a whole number from 1 to 1,000/);
  for (const shape of ['0', '3,1e9,1e9', '1e10', '3,32', '3,32,', '٣,٣٢,٣٢', '3,0x20,32', '-3,32,32'])
    assert.match(await refusal('show', '--space', 'mlp', `--input=${shape}`), /--input: ".*"; must be channels/);
  assert.match(await refusal('show', '--space', 'mlp', '--outputs=1e10'), /--outputs: .*from 1 to 1,000,000/);
});

test('a configuration that is none is refused: folder, binary file, deep nesting, unknown and harmful keys', async () => {
  const file = (name: string, content: string | Uint8Array) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const search = (path: string) => refusal('search', '--config', path, ...NONE);
  assert.match(await search(folder), /configuration ".*": is not a file; it must be/);
  assert.match(await search(join(folder, 'no.json')), /--config: ".*no\.json"; the file does not exist/);
  assert.match(
    await search(file('binary.json', Uint8Array.of(137, 80, 78, 71, 255, 0))),
    /binary\.json": cannot be read \(.*\); it must be UTF-8 text/,
  );
  assert.match(await search(file('settings.yaml', 'epochs: 3')), /settings\.yaml": has an unsupported type/);
  assert.match(
    await search(file('broken.json', '{ "epochs": 3,, }')),
    /broken\.json": is not valid JSON at line 1, column 15/,
  );
  assert.match(await search(file('deep.json', '['.repeat(100_000))), /deep\.json": is nested too deeply/);
  assert.match(await search(file('list.json', '[1]')), /list\.json": does not contain an object/);
  assert.match(await search(file('broken.ts', 'export default {')), /broken\.ts": cannot be loaded/);
  assert.match(
    await search(file('typo.json', '{ "epoch": 3 }')),
    /typo\.json: unknown setting "epoch"; did you mean "epochs"\?/,
  );
  assert.match(await search(file('proto.json', '{ "__proto__": { "epochs": 0 } }')), /unknown setting "__proto__"/);
  assert.match(await search(file('constructor.json', '{ "constructor": 1 }')), /unknown setting "constructor"/);
  assert.match(await search(file('bom.json', '\ufeff{ "$schema": "x", "epochs": 3 }')), ACCEPTED);
  assert.equal(Object.hasOwn(Object.prototype, 'epochs'), false);
  for (const options of ['__proto__=1', 'constructor=1', 'toString=1'])
    for (const flag of ['--strategy-options', '--stopping-options', '--estimator-options'])
      assert.match(
        await refusal('search', flag, options, '--data', flag === '--strategy-options' ? 'none' : 'digits'),
        /unknown option/,
      );
});

test('an architecture as JSON on the command line: nested deep, with harmful keys, of another kind', async () => {
  const show = (arch: string) => refusal('show', '--space', 'nas-bench-201', '--arch', arch);
  assert.match(await show(`{"a":${'['.repeat(50_000)}`), /architecture of space "nas-bench-201": is nested too deeply/);
  assert.match(await show('{"__proto__":1}'), /unknown decision "__proto__"/);
  assert.match(await show('{"0->1":{"a":1}}'), /decision/);
  assert.match(await show('{,}'), /is not valid JSON/);
});

test('unknown names come with the one that was meant', async () => {
  assert.match(await refusal('search', '--strategy', 'tep', ...NONE), /unknown strategy "tep"; did you mean "tpe"\?/);
  assert.match(
    await refusal('search', '--strategy', 'tpe', '--strategy-options', 'initail=3', ...NONE),
    /strategy "tpe": unknown option "initail"; did you mean "initial"\? It must be one of initial, gamma, candidates, multivariate/,
  );
  assert.match(await refusal('search', '--space', 'darst', ...NONE), /--space: "darst"; did you mean "darts"\?/);
  assert.match(
    await refusal('search', '--data', 'cifar10'),
    /data: unknown dataset "cifar10"; did you mean "cifar-10"\?/,
  );
  assert.match(
    await refusal('show', '--space', 'darts', '--space-options', 'cels=3'),
    /unknown option "cels"; did you mean "cells"\?/,
  );
  assert.match(await refusal('serach'), /unknown command 'serach'\n\(Did you mean search\?\)/);
});
