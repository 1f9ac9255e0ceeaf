import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { build } from 'vite';

const ROOT = resolve(import.meta.dirname, '..');

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-entry-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** All modules that this code loads, itself aside: `ADDRESS IMPORTER`. */
function loaded(code: string): readonly string[] {
  const hooks = join(folder, 'trace.mjs');
  writeFileSync(
    hooks,
    [
      "import { registerHooks } from 'node:module';",
      'registerHooks({',
      '  resolve(specifier, context, next) {',
      '    const found = next(specifier, context);',
      '    console.log(found.url, context.parentURL);',
      '    return found;',
      '  },',
      '});',
    ].join('\n'),
  );
  const args = [
    '--conditions=netsmith-source',
    '--import',
    pathToFileURL(hooks).href,
    '--input-type=module',
    '-e',
    code,
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout.trim().split('\n');
}

const HEAVY = /onnxruntime|node:sqlite|[\\/]kysely[\\/]|[\\/]sharp[\\/]|elkjs|linkedom|@observablehq/;

test('importing netsmith loads no ONNX Runtime, no SQLite, no image library, nothing of Node', () => {
  const modules = loaded(
    "import { conv, SPACES } from 'netsmith';\nconv(8, 3);\nif (SPACES.mlp === undefined) throw new Error();",
  );
  assert.ok(modules.some((url) => url.includes('/src/space/tree/builders.ts ')));
  assert.deepEqual(
    modules.filter((url) => HEAVY.test(url) || /\.node\.ts /.test(url) || /^node:.* .*[\\/]src[\\/]/.test(url)),
    [],
  );
});

test('netsmith/web bundles with Vite, imports nothing of Node, and searches', async () => {
  mkdirSync(join(folder, 'app'));
  const entry = join(folder, 'app', 'main.js');
  writeFileSync(
    entry,
    [
      "import { agingEvolution, createStrategy, functionWorkers, memoryStore, openDigits, runStudy, searchSpaceOf, networkCosts, resolveArchitecture, smallCnn } from 'netsmith/web';",
      "const { search: { info } } = await openDigits({ name: 'digits', seed: 1, validShare: 0.25 });",
      'const space = smallCnn.create(info);',
      'const paramsOf = (architecture) => networkCosts(resolveArchitecture(space, architecture), space.task).params;',
      'const costs = (architecture) => ({ params: paramsOf(architecture), flops: 0 });',
      "const objectives = [{ metric: 'score', direction: 'maximize', unit: 'score' }];",
      'const full = { epochs: 1, data: 1, resolution: 1, width: 1 };',
      'const problem = { space: searchSpaceOf(space), objectives, limits: [], seed: 1, fidelities: [full], costs };',
      'const strategy = createStrategy(agingEvolution({ population: 3, sample: 2 }));',
      "const store = memoryStore({ name: 'web', settings: {}, state: strategy.init(problem) });",
      'const judge = ({ network }) => ({ score: -networkCosts(network, space.task).params });',
      'const workers = functionWorkers(judge, { space }, store);',
      'export const { best, trials } = await runStudy({ store, strategy, problem, workers, budget: { trials: 5 } });',
    ].join('\n'),
  );
  const nodeModules: string[] = [];
  await build({
    root: folder,
    configFile: false,
    logLevel: 'silent',
    resolve: {
      conditions: ['netsmith-source', 'browser', 'import', 'default'],
      alias: { 'netsmith/web': join(ROOT, 'src', 'web.ts') },
    },
    plugins: [
      {
        name: 'no-node',
        enforce: 'pre',
        resolveId(id, importer) {
          if (/^node:/.test(id)) nodeModules.push(`${id} from ${importer}`);
        },
      },
    ],
    build: { target: 'esnext', minify: false, outDir: 'out', lib: { entry, formats: ['es'], fileName: 'main' } },
  });
  assert.deepEqual(nodeModules, []);
  const bundle = readdirSync(join(folder, 'out')).find((file) => file.startsWith('main'));
  assert.ok(bundle !== undefined);
  assert.doesNotMatch(readFileSync(join(folder, 'out', bundle), 'utf8'), /from ['"]node:|require\(['"]node:/);
  const { trials, best } = await import(pathToFileURL(join(folder, 'out', bundle)).href);
  assert.equal(trials, 5);
  assert.equal(best.length, 1);
});
