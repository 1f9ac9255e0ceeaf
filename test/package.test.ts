import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ASSETS, ENTRIES } from '../src/common/package-files.node.ts';
import { chainModel } from '../src/device/testing/models.ts';

const ROOT = resolve(import.meta.dirname, '..');
const BIN = join(ROOT, 'bin', 'netsmith.js');
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');

/** As a user's shell has it: none of what `npm test` or this process added, but the Node that runs this test first. */
const ENV = Object.fromEntries(
  Object.entries({ ...process.env, PATH: [dirname(process.execPath), process.env.PATH].join(delimiter) }).filter(
    ([name]) => !/^(npm_|NODE_TEST|NODE_OPTIONS)/.test(name),
  ),
);

function run(cwd: string, command: string, ...args: string[]): SpawnSyncReturns<string> {
  return runWith({}, cwd, command, ...args);
}

function runWith(env: object, cwd: string, command: string, ...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(command, args, { cwd, env: { ...ENV, ...env }, encoding: 'utf8', timeout: 600_000 });
}

const succeed = (cwd: string, command: string, ...args: string[]) => succeedWith({}, cwd, command, ...args);

function succeedWith(env: object, cwd: string, command: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = runWith(env, cwd, command, ...args);
  assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}\n${stderr}\n${error ?? ''}`);
  return stdout;
}

// `npm pack` builds dist/ by way of `prepare`; the tarball is then installed where nothing of the repository is in sight.
let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-package-'));
  succeed(ROOT, 'npm', 'pack', '--silent', '--pack-destination', folder);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  assert.ok(tarball !== undefined);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'elsewhere', private: true, type: 'module' }));
  // No flag keeps onnxruntime-node from fetching CUDA libraries: this address, where nothing answers, stands for all of its feeds.
  const unreachable = { GLOBAL_AGENT_HTTPS_PROXY: 'http://127.0.0.1:9', GLOBAL_AGENT_HTTP_PROXY: 'http://127.0.0.1:9' };
  succeedWith(unreachable, folder, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', `./${tarball}`);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('the installed package holds built JavaScript with declarations, and no source, tests or development tools', () => {
  const home = join(folder, 'node_modules', 'netsmith');
  const files = readdirSync(home, { recursive: true, encoding: 'utf8' });
  assert.ok(files.includes(join('dist', 'index.js')) && files.includes(join('dist', 'index.d.ts')));
  assert.ok(files.includes(join('schema', 'netsmith.config.schema.json')), 'the schema that a configuration may name');
  const wrong = files.filter((file) => /(\.test\.|(^|[\\/])(src|testing|node_modules)([\\/]|$))/.test(file));
  assert.deepEqual(wrong, []);
  assert.deepEqual(
    files.filter((file) => /\.ts$/.test(file) && !/\.d\.ts$|^examples/.test(file)),
    [],
  );
  assert.ok(!existsSync(join(folder, 'node_modules', 'typescript')));
});

test('dist/ has every module that a process or thread begins with and every file that is read, and imports only named packages', () => {
  const home = join(folder, 'node_modules', 'netsmith');
  const expected = [...ENTRIES.map((name) => `${name}.js`), ...ASSETS];
  assert.deepEqual(
    expected.filter((file) => !existsSync(join(home, 'dist', file))),
    [],
  );
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  const named = Object.keys({ ...dependencies, ...peerDependencies });
  const files = readdirSync(join(home, 'dist'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.js$/.test(file),
  );
  const imported = files.flatMap((file) => {
    const text = readFileSync(join(home, 'dist', file), 'utf8');
    return [...text.matchAll(/^(?:import|export)\b[^'";]*?"([^.$"][^"]*)"|\bimport\("([^.$"][^"]*)"\)/gm)].map(
      ([, one, other]) => one ?? other ?? '',
    );
  });
  assert.ok(imported.includes('onnxruntime-node') && imported.includes('sharp'));
  const unknown = imported.filter(
    (name) => !/^node:/.test(name) && !named.some((one) => `${name}/`.startsWith(`${one}/`)),
  );
  assert.deepEqual(unknown, []);
});

test('what dist/ copies of other packages comes with their licenses', () => {
  const licenses = readFileSync(join(folder, 'node_modules', 'netsmith', 'dist', 'licenses.txt'), 'utf8');
  assert.match(licenses, /^zod [\d.]+ \(MIT\)\n\nMIT License\n\nCopyright/m);
});

test('importing netsmith or netsmith/web loads nothing that only Node has', () => {
  writeFileSync(
    join(folder, 'trace.mjs'),
    [
      "import { registerHooks } from 'node:module';",
      'const found = [];',
      'registerHooks({',
      '  resolve(specifier, context, next) {',
      '    const resolved = next(specifier, context);',
      "    if (/[\\\\/]netsmith[\\\\/]dist[\\\\/]/.test(context.parentURL ?? '')) found.push(resolved.url);",
      '    return resolved;',
      '  },',
      '});',
      'await import(process.argv[2]);',
      'console.log(JSON.stringify(found));',
    ].join('\n'),
  );
  for (const name of ['netsmith', 'netsmith/web']) {
    const urls: readonly string[] = JSON.parse(succeed(folder, process.execPath, 'trace.mjs', name));
    assert.ok(urls.length > 5, name);
    assert.deepEqual(
      urls.filter((url) => /^node:|[\\/](onnxruntime-node|sharp|commander|kysely)[\\/]|linkedom|plot/.test(url)),
      [],
      name,
    );
  }
});

test('what README links is in the package, and package.json names the repository', () => {
  const home = join(folder, 'node_modules', 'netsmith');
  const links = [...readFileSync(join(home, 'README.md'), 'utf8').matchAll(/\]\(([^)#\s]+)/g)].map(
    ([, link = '']) => link,
  );
  const missing = links.filter((link) => !/^[a-z]+:/.test(link) && !existsSync(join(home, link)));
  assert.ok(links.length > 10);
  assert.deepEqual(missing, []);
  const { repository } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  assert.match(repository.url, /^git\+https:/);
});

test('npx netsmith works in the folder where the package is installed', () => {
  assert.match(succeed(folder, 'npx', 'netsmith', '--help'), /Usage: netsmith/);
  const spaces: unknown = JSON.parse(succeed(folder, 'npx', 'netsmith', 'spaces', '--json'));
  assert.ok(Array.isArray(spaces) && spaces.some(({ name }) => name === 'nas-bench-201'));
});

test('a search runs where the package is installed', () => {
  const args = '--space mlp --trials 1 --epochs 1 --train-samples 100 --json --quiet --out study';
  const found = JSON.parse(succeed(folder, 'npx', 'netsmith', 'search', ...args.split(' ')));
  assert.equal(found.trials, 1);
  assert.ok(found.best.metrics.accuracy >= 0);
});

test('the thread that reads from a simulator and the process that times networks start where the package is installed', () => {
  const simulator = fileURLToPath(new URL('../src/control/testing/simulator.ts', import.meta.url));
  writeFileSync(
    join(folder, 'simulator.mjs'),
    [
      "import { processEnvironment, rng } from 'netsmith/node';",
      `const command = ${JSON.stringify(`"${process.execPath}" "${simulator}"`)};`,
      'const lanes = processEnvironment({ command }).open(1);',
      'lanes.reset(0, rng(0));',
      'lanes.step(new Float32Array([1]));',
      'console.log(lanes.observations.length);',
      'lanes.close();',
    ].join('\n'),
  );
  assert.equal(succeed(folder, process.execPath, 'simulator.mjs').trim(), '2');
  writeFileSync(join(folder, 'chain.onnx'), chainModel(1, 8));
  const timed = JSON.parse(
    succeed(folder, 'npx', 'netsmith', 'measure', 'chain.onnx', '--device-target', 'node', '--json'),
  );
  assert.match(JSON.stringify(timed), /onnxruntime-node/);
});

test('the library is imported with its types, and without the command line', () => {
  writeFileSync(
    join(folder, 'library.ts'),
    [
      "import { UserError, choice, conv, countArchitectures, defineSpace, globalAvgPool, linear, sequential } from 'netsmith';",
      "const space = defineSpace('mine', () =>",
      "  sequential(choice('kernel', { small: conv(8, 3), large: conv(8, 5) }), globalAvgPool(), linear('outputs')),",
      ").create({ kind: 'classification', input: [1, 8, 8], outputs: 10 });",
      'const members: bigint | undefined = countArchitectures(space);',
      'console.log(String(members), new UserError("x") instanceof Error);',
      '// @ts-expect-error a kernel is no text: the declarations have types, not any',
      'export const wrong = () => conv(8, { size: 3 });',
    ].join('\n'),
  );
  const strict = ['--strict', '--module', 'nodenext', '--target', 'es2024', '--types', '', '--skipLibCheck', 'false'];
  succeed(folder, process.execPath, TSC, ...strict, '--outDir', 'out', 'library.ts');
  assert.equal(succeed(folder, process.execPath, join('out', 'library.js')).trim(), '2 true');
});

test('the declarations of netsmith/node hold under --strict without skipLibCheck, and know the options of strategies', () => {
  writeFileSync(
    join(folder, 'strategies.ts'),
    [
      "import { asha, createStudy, scalarized, tpe } from 'netsmith/node';",
      'export const open = () => createStudy({ strategy: asha({ inner: tpe({ gamma: 0.15 }), eta: 4 }), epochs: 4 });',
      "export const one = scalarized({ inner: tpe(), method: 'weights', 'weight.accuracy': 2 });",
      '// @ts-expect-error no method',
      "export const other = scalarized({ method: 'sum' });",
      '// @ts-expect-error no option',
      'export const wrong = scalarized({ wight: 2 });',
    ].join('\n'),
  );
  const strict = ['--strict', '--module', 'nodenext', '--target', 'es2024', '--skipLibCheck', 'false', '--noEmit'];
  const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules', '@types')];
  succeed(folder, process.execPath, TSC, ...strict, ...types, 'strategies.ts');
});

test('the tables come with the package', () => {
  writeFileSync(
    join(folder, 'table.mjs'),
    [
      "import { createStrategy, openNasBench201, openNasBench201Test, simulate, tabularProblem } from 'netsmith/node';",
      'const table = await openNasBench201();',
      "const [strategy, problem] = [createStrategy('random'), tabularProblem(table, 'cifar-10', 0)];",
      "const { best } = await simulate({ strategy, problem, table, dataset: 'cifar-10', budget: { seconds: 12_000 } });",
      "console.log((await openNasBench201Test(table.space))(best.architecture, 'cifar-10') > 0.9);",
    ].join('\n'),
  );
  assert.equal(succeed(folder, process.execPath, 'table.mjs').trim(), 'true');
});

test('the browser targets say which packages they need, which are not installed by themselves', () => {
  const { peerDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const packages = Object.keys(peerDependencies);
  assert.ok(packages.every((name) => !existsSync(join(folder, 'node_modules', name))));
  assert.ok(existsSync(join(folder, 'node_modules', 'netsmith', 'dist', 'device', 'browser-page.js')));
  writeFileSync(join(folder, 'model.onnx'), chainModel(1, 8));
  const { status, stderr } = run(folder, 'npx', 'netsmith', 'measure', 'model.onnx', '--device-target', 'browser');
  assert.equal(status, 2, stderr);
  assert.match(stderr, /playwright-core and onnxruntime-web are not installed; the target needs them: npm install /);
  for (const [name, version] of Object.entries(peerDependencies)) assert.ok(stderr.includes(`${name}@${version}`));
});

test('npx netsmith works from the root of the repository', () => {
  assert.match(succeed(ROOT, 'npx', 'netsmith', '--help'), /Usage: netsmith/);
});

test('on a Node that is too old, the command line says so in one sentence', () => {
  const { status, stdout, stderr } = runOnOldNode(BIN, '--help');
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /^netsmith needs Node 24 or newer; this is Node v(20|1\d|2[0-3])\.[^\n]*\n$/);
});

test('on a Node that is too old, the library says so when it is imported', () => {
  const file = join(folder, 'import.mjs');
  writeFileSync(file, "import('netsmith').catch((error) => console.log(error.message));\n");
  const { stdout, stderr } = runOnOldNode(file);
  assert.match(stdout, /^netsmith needs Node 24 or newer; this is Node v(20|1\d|2[0-3])\.[^\n]*\n$/, stderr);
});

/** The first Node below 24 on the path; where the machine has none, this one with another version written over its own. */
function runOnOldNode(...args: string[]): SpawnSyncReturns<string> {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((path) => !path.includes('node_modules'));
  for (const node of folders.map((path) => join(path, 'node')).filter((path) => existsSync(path))) {
    const version = run(ROOT, node, '--version').stdout;
    if (Number(/^v(\d+)/.exec(version)?.[1] ?? 99) < 24) return run(ROOT, node, ...args);
  }
  const pretend = join(folder, 'pretend.mjs');
  writeFileSync(pretend, "Object.defineProperty(process.versions, 'node', { value: '20.0.0' });\n");
  return run(ROOT, process.execPath, '--import', pretend, ...args);
}
