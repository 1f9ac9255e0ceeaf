import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { ALL_STRATEGIES } from '../src/app/strategies.ts';
import { askSettings } from '../src/cli/init.ts';
import { configSchema } from '../src/study/config-schema.ts';
import { defineConfig } from '../src/study/define-config.ts';
import { Interrupted } from '../src/terminal/interrupt.ts';
import { openerOf } from '../src/terminal/open.ts';
import { withTerminal } from '../src/terminal/questions.ts';
import { json, netsmith, refusedIn } from './support/netsmith.ts';

let folder = '';
let study = '';
const refused = (expected: RegExp, ...args: string[]) => refusedIn(folder, expected, ...args);
const TINY = ['--space', 'mlp', '--epochs', '1', '--train-samples', '60'];
const ARCHITECTURE = 'depth=1, layer/0/width=16, normalisation=none, activation=relu, dropout=0';

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-ways-'));
  study = join(folder, 'studies', 'one');
  await json('search', ...TINY, '--trials', '2', '--out', study);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('doctor trains and says at what rate', async () => {
  const found = await json('doctor');
  assert.equal(found.ok, true);
  assert.equal(found.versions.node, process.versions.node);
  assert.ok(found.training.samplesPerSecond > 0 && found.training.seconds > 0 && found.training.loss > 0);
  assert.ok([0, 8, 16].includes(found.engine.block) && found.machine.availableBytes > 0);
  for (const { available, reason } of [found.webgpu, found.cuda, found.browser])
    assert.equal(available, reason === undefined);
  assert.equal(found.browser.available, typeof found.browser.executable === 'string');
  assert.match(
    (await netsmith('doctor')).out,
    /^CUDA +(?:available \(--device cuda\)|not available: device "cuda": )/m,
  );
  await refused(/--threads: "0"; must be a whole number from 1/, 'doctor', '--threads', '0');
});

for (const device of ['webgpu', 'cuda'])
  test(`${device}: what a graphics driver writes to the terminal does not show, only our own sentence`, () => {
    const program = join(import.meta.dirname, '..', 'bin', 'netsmith.js');
    const words = [program, 'train', ...TINY, '--device', device, '--arch', ARCHITECTURE];
    const { status, stderr } = spawnSync(process.execPath, words, { cwd: folder, encoding: 'utf8' });
    // Warnings of Dawn and ONNX Runtime have several lines, of which some are indented.
    assert.doesNotMatch(stderr, /^(Warning|Error|\s)/m);
    // Where there is a GPU, it trains.
    if (status !== 0) assert.match(stderr, new RegExp(`\nnetsmith: device "${device}": [^\n]*\n$`, 'u'));
  });

test('a name that nothing has is answered with the one that was meant', async () => {
  await refused(/--data: unknown dataset "digit"; did you mean "digits"/, 'init', folder, '--data', 'digit', '--yes');
  await refused(/unknown strategy "tep"; did you mean "tpe"/, 'init', folder, '--strategy', 'tep', '--yes');
  await refused(/--estimator: "trian"; .*\btrain\b/, 'init', folder, '--estimator', 'trian', '--yes');
  await refused(/--space: "mpl"; did you mean "mlp"/, 'init', folder, '--space', 'mpl', '--yes');
  await refused(/--strategy: "none\.ts"; there is no such file/, 'init', folder, '--strategy', 'none.ts', '--yes');
  await refused(/unknown data set "cifar10"; did you mean "cifar-10"/, 'data', 'get', 'cifar10');
  await refused(/unknown shell "bsh"; did you mean "bash"/, 'completion', 'bsh');
});

test('one command takes one configuration; compare takes several', async () => {
  const [a, b] = ['a.json', 'b.json'].map((name) => join(folder, name));
  for (const file of [a, b]) writeFileSync(file ?? '', '{}');
  for (const command of ['search', 'run', 'train'])
    await refused(/--config: given twice; must be one file/, command, '--config', a ?? '', '--config', b ?? '');
});

test('ls lists the studies below a folder, a damaged one too, the latest first', async () => {
  const damaged = join(folder, 'studies', 'deep', 'damaged');
  mkdirSync(damaged, { recursive: true });
  writeFileSync(join(damaged, 'study.db'), 'no database');
  const listed = await json('ls', folder);
  assert.deepEqual(
    listed.map((one: { study: string; state: string }) => [one.study, one.state]),
    [
      [study, 'finished'],
      [damaged, 'damaged'],
    ],
  );
  assert.equal(listed[0].trials, 2);
  assert.equal(listed[0].best.metric, 'accuracy');
  assert.ok(listed[0].lastAt >= listed[0].createdAt);
  assert.match(listed[1].error, /study\.db/);
  await refused(/there is no such folder/, 'ls', join(folder, 'nothing'));
  rmSync(join(folder, 'studies', 'deep'), { recursive: true });
});

test('strategies lists every strategy, and of one the options with their ranges', async () => {
  const listed: { name: string; options: { name: string; default: unknown }[] }[] = await json('strategies');
  assert.deepEqual(
    listed.map(({ name }) => name),
    Object.keys(ALL_STRATEGIES),
  );
  for (const { name, options } of listed)
    assert.deepEqual(
      Object.fromEntries(options.map((option) => [option.name, option.default])),
      ALL_STRATEGIES[name]?.defaults,
      name,
    );
  const { out } = await netsmith('strategies', 'tpe');
  assert.match(out, /gamma +0\.1 +number above 0 and below 1/);
  assert.match(out, /initial +10 +whole number from 2 to 1,000,000/);
  await refused(/unknown strategy "tep"; did you mean "tpe"/, 'strategies', 'tep');
});

test('samples draws members of a space, the same ones for the same seed', async () => {
  const args = ['samples', 'mlp', '--count', '3', '--input', '13', '--outputs', '1', '--regression', '--seed'];
  const drawn = await json(...args, '4');
  assert.equal(drawn.length, 3);
  for (const { params, flops, text } of drawn) assert.ok(params > 0 && flops > 0 && text.startsWith('depth='));
  assert.deepEqual(await json(...args, '4'), drawn);
  assert.notDeepEqual(await json(...args, '5'), drawn);
  const [{ architecture, params }] = drawn;
  const shape = ['--input', '13', '--outputs', '1', '--regression'];
  const shown = await json('show', '--space', 'mlp', '--arch', JSON.stringify(architecture), ...shape);
  assert.equal(shown.params, params);
  await refused(/--count: "0"/, 'samples', 'mlp', '--count', '0');
  await refused(/--space: "nothing"/, 'samples', 'nothing');
});

test('trials --csv prints a row for each trial, with all metrics and decisions', async () => {
  const { code, out } = await netsmith('trials', study, '--csv');
  assert.equal(code, 0);
  const rows: Record<string, string>[] = parse(out, { columns: true });
  const trials = await json('trials', study);
  assert.equal(rows.length, 2);
  for (const [i, row] of rows.entries()) {
    assert.equal(Number(row['metric accuracy']), trials[i].metrics.accuracy);
    assert.equal(Number(row.params), trials[i].costs.params);
    assert.equal(row['decision depth'], String(trials[i].architecture.depth));
    assert.equal(row.text, trials[i].text);
  }
  await refused(/--csv: given with --json/, 'trials', study, '--csv', '--json');
});

test('a text cell of trials --csv is no formula to a spreadsheet', async () => {
  const space = join(folder, 'formula.ts');
  const library = new URL('../src/space/index.ts', import.meta.url).href;
  writeFileSync(
    space,
    `import { activation, defineSpace, flatten, linear, pick, sequential } from '${library}';
export const mine = defineSpace('mine', () =>
  sequential(flatten(), activation(pick('@SUM', ['relu', 'gelu'])), linear('outputs')));`,
  );
  const dir = join(folder, 'formula');
  await json('search', ...TINY, '--space', space, '--trials', '1', '--out', dir);
  const [row] = parse((await netsmith('trials', dir, '--csv')).out, { columns: true }) as [Record<string, string>];
  assert.match(row?.text ?? '', /^'@SUM=/);
  rmSync(dir, { recursive: true });
});

test('export writes model.json beside the model, and overwrites no file of others', async () => {
  const out = join(folder, 'mine.onnx');
  const { file, about } = await json('export', study, '--out', out);
  assert.deepEqual([file, about], [out, join(folder, 'mine.json')]);
  const { model, inputs, outputs, labels, preprocessing, task } = JSON.parse(readFileSync(about, 'utf8'));
  assert.deepEqual([model, task], ['mine.onnx', 'classification']);
  assert.deepEqual(inputs, [{ name: 'input', dtype: 'float32', shape: ['N', 1, 8, 8], layout: 'NCHW' }]);
  assert.deepEqual([outputs[0].name, outputs[0].shape], ['probabilities', ['N', 10]]);
  assert.deepEqual(labels, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  const { width, height, channels, resize, range } = preprocessing;
  assert.deepEqual([width, height, channels, range], [8, 8, 'gray', [0, 16]]);
  assert.deepEqual(resize, { fit: 'fill', filter: 'lanczos3' });
  await json('export', study, '--out', out);
  writeFileSync(about, '{ "of": "mine" }');
  await refused(/mine\.json": was not written by netsmith export/, 'export', study, '--out', out);
  await json('export', study);
  const beside = JSON.parse(readFileSync(join(study, 'best', 'model.json'), 'utf8'));
  assert.equal(beside.model, 'model.onnx');
  assert.match(readFileSync(join(study, 'best', 'MODEL_CARD.md'), 'utf8'), /fetch\('model\.json'\)/);
});

test('--open starts the program of the system for the file, and a failure is a note', async (t) => {
  if (process.platform !== 'linux') return t.skip('the program has another name here');
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const opener = join(bin, 'xdg-open');
  writeFileSync(opener, `#!/bin/sh\nprintf '%s' "$1" > '${join(folder, 'opened')}'\n`);
  chmodSync(opener, 0o755);
  const path = process.env.PATH;
  process.env.PATH = [bin, path].join(delimiter);
  try {
    const { code, err } = await netsmith('report', study, '--open');
    assert.deepEqual([code, err], [0, '']);
    assert.equal(readFileSync(join(folder, 'opened'), 'utf8'), join(study, 'report.html'));
    writeFileSync(opener, '#!/bin/sh\nexit 3\n');
    const failed = await netsmith('report', study, '--open');
    assert.equal(failed.code, 0);
    assert.match(failed.out, /report\.html/);
    assert.match(failed.err, /report\.html could not be opened \(xdg-open ended with code 3\); open it in a browser/);
  } finally {
    process.env.PATH = path;
  }
  assert.equal(openerOf('darwin', '/x.html')[0], 'open');
  assert.deepEqual(openerOf('win32', 'C:\\a & b.html').at(-1), 'C:\\a & b.html');
  for (const command of ['run', 'compare']) assert.match((await netsmith(command, '--help')).out, /--open/);
});

/** What bash offers after these words; the last one is being typed. */
function completedInBash(...words: string[]): string[] {
  const script = join(folder, 'completion.bash');
  const line = `source '${script}'; COMP_WORDS=(netsmith "$@"); COMP_CWORD=$#; _netsmith; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', line, 'bash', ...words], {
    encoding: 'utf8',
    cwd: folder,
  });
  assert.equal(status, 0, stderr);
  return stdout.split('\n').filter((word) => word !== '');
}

test('completion in bash: commands, flags, values and files', async (t) => {
  if (spawnSync('bash', ['--version']).status !== 0) return t.skip('bash is not here');
  writeFileSync(join(folder, 'completion.bash'), (await netsmith('completion', 'bash')).out);
  assert.deepEqual(completedInBash('sea'), ['search']);
  assert.deepEqual(completedInBash('data', ''), ['get']);
  assert.deepEqual(completedInBash('search', '--strategy', 'aging'), ['aging-evolution']);
  assert.deepEqual(completedInBash('search', '--layout', ''), ['auto', 'portable']);
  assert.deepEqual(completedInBash('search', '--max-p'), ['--max-params']);
  assert.deepEqual(completedInBash('data', 'get', '--di'), ['--dir']);
  assert.deepEqual(completedInBash('samples', 'nas-'), ['nas-bench-201', 'nas-bench-101', 'nas-bench-nlp']);
  assert.deepEqual(completedInBash('resume', 'stu'), ['studies']);
});

test('completion for the other shells names every command and its flags', async () => {
  for (const shell of ['zsh', 'fish', 'powershell']) {
    const { script } = await json('completion', shell);
    for (const word of ['search', 'doctor', 'max-params', 'aging-evolution']) assert.ok(script.includes(word), shell);
  }
  const available = (shell: string, ...args: string[]) => spawnSync(shell, args).status === 0;
  for (const shell of ['zsh', 'fish']) {
    if (!available(shell, '--version')) continue;
    const { out } = await netsmith('completion', shell);
    assert.equal(spawnSync(shell, ['-n', '/dev/stdin'], { input: out }).status, 0, shell);
  }
  await refused(/tcsh/, 'completion', 'tcsh');
});

test('init writes what the flags say, and overwrites nothing', async () => {
  const place = join(folder, 'project');
  mkdirSync(place);
  const data = join(folder, 'houses.csv');
  writeFileSync(data, 'area,price\n1,2\n');
  const flags = ['--data', 'csv', '--data-dir', data, '--label', 'price', '--regression', '--trials', '40', '--yes'];
  const { file, settings } = await json('init', place, ...flags);
  assert.equal(file, join(place, 'netsmith.config.json'));
  const written = JSON.parse(readFileSync(file, 'utf8'));
  assert.match(written.$schema, /netsmith\.config\.schema\.json$/);
  const { $schema: _, ...rest } = written;
  assert.deepEqual(rest, {
    data: 'csv',
    dataDir: data,
    label: 'price',
    regression: true,
    trials: 40,
    space: 'residual-mlp',
  });
  assert.deepEqual(settings, rest);
  const properties = configSchema().properties as object;
  for (const name of Object.keys(written)) assert.ok(name in properties, name);
  await refused(/exists already; init overwrites nothing/, 'init', place, '--yes');
  rmSync(file);
  await refused(/--data-dir: missing; data set csv needs the file/, 'init', place, '--data', 'csv', '--yes');
  await refused(/--trials: 0/, 'init', place, '--trials', '0', '--yes');
  await refused(/there is no terminal to ask in/, 'init', place);
  assert.ok(!existsSync(file));
});

test('init makes the folder, writes paths as seen from it, and names the schema of an installation above it', async () => {
  const project = mkdtempSync(join(folder, 'above-'));
  const place = join(project, 'inner', 'mine');
  const installed = join(project, 'node_modules', 'netsmith', 'schema', 'netsmith.config.schema.json');
  mkdirSync(dirname(installed), { recursive: true });
  writeFileSync(installed, '{}');
  const data = join(project, 'houses.csv');
  writeFileSync(data, 'area,price\n1,2\n');
  const { file } = await json('init', place, '--data', 'csv', '--data-dir', relative(process.cwd(), data), '--yes');
  const { $schema, dataDir } = JSON.parse(readFileSync(file, 'utf8'));
  assert.equal($schema, '../../node_modules/netsmith/schema/netsmith.config.schema.json');
  assert.equal(dataDir, '../../houses.csv');
  const spots = join(project, 'spots.ts');
  writeFileSync(spots, '');
  const other = join(project, 'inner', 'other');
  const own = await json('init', other, '--data', relative(process.cwd(), spots), '--yes');
  assert.equal(own.settings.data, '../../spots.ts');
  await refused(/is a file; it must be a folder/, 'init', data, '--yes');
});

/** Answers as a person would type them, one line a question. */
async function answering(lines: readonly string[], given = {}) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  input.end(lines.map((line) => `${line}\n`).join(''));
  const answers = await withTerminal((asker) => askSettings(given, asker), input, output);
  return { answers, asked: String(output.read()) };
}

test('init asks what is not given, and again where an answer cannot be', async () => {
  assert.deepEqual((await answering(['', ''])).answers, { data: 'digits', time: '30m' });
  const table = await answering(['csv', '/nothing', folder, 'price', '2', '40']);
  const expected = { data: 'csv', dataDir: folder, label: 'price', regression: true, trials: 40 };
  assert.deepEqual(table.answers, expected);
  assert.match(table.asked, /There is no file "\/nothing"/);
  const images = await answering([folder, '3', '32', '2h'], { data: 'image-folder' });
  assert.deepEqual(images.answers, { data: 'image-folder', dataDir: folder, imageSize: 32, time: '2h' });
  await assert.rejects(answering(['csv']), Interrupted);
});

test('a netsmith.config.ts with defineConfig is typed, and its settings are taken', async () => {
  const config = join(folder, 'netsmith.config.ts');
  const library = new URL('../src/study/define-config.ts', import.meta.url).href;
  writeFileSync(
    config,
    `import { defineConfig } from '${library}';
export default defineConfig({ space: 'mlp', epochs: 1, trainSamples: 60, trials: 1, seed: 5 });`,
  );
  const dir = join(folder, 'configured');
  assert.equal((await json('search', '--config', config, '--out', dir)).trials, 1);
  const given = defineConfig({ data: 'digits', strategy: 'tpe', strategyOptions: { initial: 4 } });
  assert.deepEqual(given, { data: 'digits', strategy: 'tpe', strategyOptions: { initial: 4 } });
  // @ts-expect-error a number of trials is no text
  defineConfig({ trials: 'many' });
  // @ts-expect-error there is no such setting
  defineConfig({ trails: 3 });
  const names = Object.keys(configSchema().properties as object);
  for (const name of ['$schema', 'data', 'strategy', 'trials']) assert.ok(names.includes(name), name);
});
