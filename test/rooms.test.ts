import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { roomOverrides, roomsFile } from '../scripts/rooms.ts';

const ROOT = resolve(import.meta.dirname, '..');
const BROWSER_ROOMS = [
  'common',
  'space',
  'strategy',
  'network',
  'graph',
  'engine',
  'task',
  'train',
  'device',
  'model',
  'control',
];
const NODE_ONLY_PACKAGES = ['sharp', 'onnxruntime-node', 'commander', 'log-update'];

test('biome.rooms.json is what scripts/rooms.ts writes, and every room of src/ is in it', () => {
  assert.equal(readFileSync(join(ROOT, 'biome.rooms.json'), 'utf8'), roomsFile());
  const ruled = roomOverrides().flatMap(({ includes }) => includes);
  for (const room of readdirSync(join(ROOT, 'src'), { withFileTypes: true })) {
    if (room.isDirectory() && room.name !== 'cli') assert.ok(ruled.includes(`src/${room.name}/**`), room.name);
  }
});

/** For each of these files, put into these rooms, what the import rule says of it; '' if nothing. One run of Biome. */
function lint(files: readonly (readonly [room: string, file: string, text: string])[]): string[] {
  const folders = files.map(([room, file, text]) => {
    const folder = mkdtempSync(join(ROOT, 'src', room, 'lint-'));
    writeFileSync(join(folder, file), text);
    return folder;
  });
  try {
    const paths = folders.map((folder) => relative(ROOT, folder));
    const args = ['lint', '--reporter=json', '--max-diagnostics=none', '--only=style/noRestrictedImports', ...paths];
    const biome = join(ROOT, 'node_modules', '.bin', 'biome');
    const { stdout } = spawnSync(biome, args, { cwd: ROOT, encoding: 'utf8' });
    const { diagnostics }: { diagnostics: { message: string; location: { path: string } }[] } = JSON.parse(stdout);
    return paths.map((path) => {
      const found = diagnostics.filter(({ location }) => location.path.startsWith(`${path}/`));
      return found.map(({ message }) => message).join(' ');
    });
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true });
  }
}

test('Biome refuses an import that the table of rooms does not allow, and what only Node can do outside of adapters', () => {
  const nodeOnly = ['node:fs', 'node:fs/promises', 'sharp', 'onnxruntime-node', './runtime/node.node.ts'];
  const verdicts = lint([
    ['space', 'a.ts', "export type { Strategy } from '../../strategy/strategy.ts';\n"],
    ['graph', 'a.ts', "export { x } from '../../engine/create.ts';\n"],
    ['study', 'a.ts', "export { openEngine } from '../../app/engine.ts';\n"],
    ['study', 'b.ts', "export type { Strategy } from '../../strategy/strategy.ts';\n"],
    ['app', 'a.ts', "export { main } from '../../cli/main.ts';\n"],
    ['terminal', 'a.ts', "export { openEngine } from '../../app/engine.ts';\n"],
    ['terminal', 'b.ts', "import 'node:fs';\nexport type { StudyEvent } from '../../study/events.ts';\n"],
    ...nodeOnly.map((name) => ['engine', 'a.ts', `export * from '${name}';\n`] as const),
    ...nodeOnly.map((name) => ['engine', 'a.node.ts', `export * from '${name}';\n`] as const),
  ]);
  assert.match(verdicts[0] ?? '', /space\/ may import nothing/);
  assert.match(verdicts[1] ?? '', /graph\/ may import nothing/);
  assert.match(verdicts[2] ?? '', /study\/ may import space, strategy, model/);
  assert.equal(verdicts[3], '');
  assert.match(verdicts[4] ?? '', /app\/ may import anything but cli\//);
  assert.match(verdicts[5] ?? '', /terminal\/ may import space, strategy, study, data, report/);
  assert.equal(verdicts[6], '');
  for (const [i, name] of nodeOnly.entries()) {
    assert.match(verdicts[7 + i] ?? '', /Only \*\.node\.ts files/, name);
    assert.equal(verdicts[7 + nodeOnly.length + i], '', name);
  }
});

test('no file of cli/ is imported by anything outside it but bin/ and the tests of commands', () => {
  const importsOf = (folder: string) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.[jt]s$/.test(file) && !file.startsWith('cli/'))
      .filter((file) => /from '[^']*\/cli\//.test(readFileSync(join(ROOT, folder, file), 'utf8')))
      .map((file) => `${folder}/${file}`);
  const found = ['src', 'bench', 'scripts', 'examples'].flatMap(importsOf);
  assert.deepEqual(found, []);
});

test('cli/ parses, calls and prints: it has at most 3,000 lines, about 100 for each command, and no cast through unknown', () => {
  const folder = join(ROOT, 'src', 'cli');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8'));
  const lines = texts.reduce((sum, text) => sum + text.split('\n').length - 1, 0);
  assert.ok(lines <= 3000, `${lines} lines`);
  assert.ok(!texts.some((text) => text.includes('as unknown as')));
});

/** Every module that `entry` reaches without running a dynamic import, types aside: [file or package, importer]. */
function staticImports(entry: string): Map<string, string> {
  const reached = new Map<string, string>([[entry, '']]);
  const queue = [entry];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    const code = stripTypeScriptTypes(readFileSync(file, 'utf8'));
    for (const [, specifier] of code.matchAll(/^\s*(?:import|export)\b[^;]*?['"]([^'"]+)['"]/gms)) {
      if (specifier === undefined) continue;
      const target = specifier.startsWith('.') ? resolve(dirname(file), specifier) : specifier;
      if (reached.has(target)) continue;
      reached.set(target, file);
      if (specifier.startsWith('.') && existsSync(target)) queue.push(target);
    }
  }
  return reached;
}

test('no room that must run in a browser has a static path to what only Node can do', () => {
  for (const room of BROWSER_ROOMS) {
    const folder = join(ROOT, 'src', room);
    if (!existsSync(folder)) continue;
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts') || /\.(node|test)\.ts$/.test(file) || file.split('/').includes('testing')) continue;
      for (const [target, importer] of staticImports(join(folder, file))) {
        const forbidden =
          target.startsWith('node:') || target.endsWith('.node.ts') || NODE_ONLY_PACKAGES.includes(target);
        assert.ok(!forbidden, `${room}/${file} reaches ${target} by way of ${importer}`);
      }
    }
  }
});
