import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Command } from 'commander';
import { programOf } from '../src/cli/main.ts';
import { flagOf, SETTING_NAMES } from '../src/study/spec.ts';
import { netsmith } from './support/netsmith.ts';

let folder = '';
let study = '';
const start = process.cwd();

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-flags-'));
  process.chdir(folder);
  study = join(folder, 'study');
  mkdirSync(join(folder, 'folder'));
  writeFileSync(join(folder, 'plain.txt'), 'x');
  const small = ['--space', 'mlp', '--train-samples', '60', '--epochs', '1', '--trials', '1', '--out', study];
  const { code, err } = await netsmith('search', ...small);
  assert.equal(code, 0, err);
});
after(() => {
  process.chdir(start);
  rmSync(folder, { recursive: true, force: true });
});

const all: readonly (readonly [string, Command])[] = programOf({
  streams: { out: () => undefined, err: () => undefined, terminal: false },
  exitCode: 0,
  elapsed: () => 0,
}).commands.flatMap((command) => [
  [command.name(), command] as const,
  ...command.commands.map((inner) => [`${command.name()} ${inner.name()}`, inner] as const),
]);

/** What each command is given besides the flag: all that it needs but a data set. */
const NEEDED = (): Readonly<Record<string, readonly string[]>> => ({
  init: ['new', '--yes'],
  run: ['--data', 'none'],
  search: ['--data', 'none'],
  train: ['--data', 'none'],
  compare: ['--data', 'none', '--strategies', 'tpe'],
  ...Object.fromEntries(
    ['resume', 'status', 'trials', 'best', 'show', 'evaluate', 'export', 'report'].map((name) => [name, [study]]),
  ),
  predict: ['none.onnx', 'none.png'],
  samples: ['mlp'],
  'data get': ['mnist'],
});

/** Values of settings are checked one by one in wrong-values.test.ts and odd-numbers.test.ts. */
const OF_SETTINGS = ['', 'no such', '{'];
const WRONG = ['', 'no such', '-1', '1.5', 'Infinity', 'a=b', '{', 'x'.repeat(5000)];

const SETTINGS: ReadonlySet<string | undefined> = new Set(SETTING_NAMES.map(flagOf));

/** Flags whose value may be any of these, and with which the command does its work. Files that are written: see below. */
const ANY = new Set([
  'init --exclude',
  'init --label',
  'init --text',
  'init --require',
  'init --forbid',
  'data get --dir',
  'init --time',
  'init --latency-table',
  'init --stopping-options',
  'init --estimator-options',
  'resume --time',
  'show --svg',
  'export --out',
  'report --out',
]);

test('every flag that takes a value refuses wrong ones: one message with a rule, exit code 2, nothing written', async () => {
  const files = () => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const earlier = files();
  const faults: string[] = [];
  let refused = 0;
  for (const [name, command] of all)
    for (const { long, required, optional } of command.options) {
      if (!(required || optional) || ANY.has(`${name} ${long}`)) continue;
      for (const text of SETTINGS.has(long) ? OF_SETTINGS : WRONG) {
        const typed = [...name.split(' '), ...(NEEDED()[name] ?? []), `${long}=${text}`];
        const { code, out, err } = await netsmith(...typed);
        const isGood = code === 2 && out === '' && /^(netsmith|error): [^\n]+\n$/.test(err) && err.length < 1500;
        const isRaw =
          /\[object|undefined|NaN|ENOENT: |Invalid|Cannot /.test(err.replaceAll(/"[^"]*"/g, '')) || /: ;/.test(err);
        // A share, a factor and the like may be this number.
        const isValue = Number.isFinite(Number(text)) && /unknown dataset|new\/netsmith.config.json/.test(err + out);
        if (isGood && !isRaw) refused++;
        else if (!isValue) faults.push(`${name} ${long}=${text.slice(0, 20)}: ${code} ${(err + out).slice(0, 200)}`);
        if (isValue) rmSync(join(folder, 'new'), { recursive: true, force: true });
      }
    }
  assert.deepEqual(faults, []);
  assert.deepEqual(files(), earlier);
  assert.ok(refused > 700, `${refused} were refused`);
});

test('a file that cannot be written is refused before anything is trained', async () => {
  for (const [command, flag] of [
    ['export', '--out'],
    ['report', '--out'],
    ['show', '--svg'],
  ] as const)
    for (const [path, message] of [
      ['', `${flag}: ""; must be the path of a file`],
      ['folder', `${flag}: "folder" is a folder; must be a file`],
    ])
      assert.deepEqual(await netsmith(command, study, `${flag}=${path}`), {
        code: 2,
        out: '',
        err: `netsmith: ${message}\n`,
      });
});

test('the flags of a space are refused beside a study, which has its own', async () => {
  for (const flag of ['--space=mlp', '--arch={}', '--input=8', '--outputs=2', '--regression'])
    assert.match(
      (await netsmith('show', study, flag)).err,
      /^netsmith: --[a-z-]+: .*; cannot be used with a study, which has its own$/m,
    );
  // Other options are another size; these have decisions that the study's architecture lacks.
  const { code, err } = await netsmith('show', study, '--space-options=tune=true');
  assert.equal(code, 2);
  assert.match(err, /space "mlp": decision "optimizer" is missing/);
});

test('init refuses names that there are not', async () => {
  for (const [flag, message] of [
    ['--data=digts', /--data: unknown dataset "digts"; did you mean "digits"\?/],
    ['--space=mpl', /--space: "mpl"; did you mean "mlp"\?/],
    ['--strategy=tep', /unknown strategy "tep"; did you mean "tpe"\?/],
    ['--strategy-options=gamma=2', /strategy "random": unknown option "gamma"/],
    ['--space-options=cels=3', /space "residual-cnn": unknown option "cels"/],
    ['--benchmark=none', /--benchmark: "none"; it must be one of/],
  ] as const) {
    const { code, err } = await netsmith('init', 'new', '--yes', flag);
    assert.equal(code, 2);
    assert.match(err, message);
  }
});
