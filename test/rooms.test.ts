import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { roomOverrides, roomsFile } from '../scripts/rooms.ts';

const ROOT = resolve(import.meta.dirname, '..');
const BROWSER_ROOMS = ['common', 'space', 'strategy', 'network', 'graph', 'engine', 'train', 'device', 'model'];
const NODE_ONLY_PACKAGES = ['sharp', 'onnxruntime-node', 'commander', 'log-update'];

test('biome.rooms.tson is what scripts/rooms.ts writes, and every room of src/ is in it', () => {
  assert.equal(readFileSync(join(ROOT, 'biome.rooms.tson'), 'utf8'), roomsFile());
  const ruled = roomOverrides().flatMap(({ includes }) => includes);
  for (const room of readdirSync(join(ROOT, 'src'), { withFileTypes: true })) {
    if (room.isDirectory() && room.name !== 'cli') assert.ok(ruled.includes(`src/${room.name}/**`), room.name);
  }
});

/** What `biome lint` says of a file of this text in this room. */
function lint(room: string, file: string, text: string): string {
  const folder = mkdtempSync(join(ROOT, 'src', room, 'lint-'));
  try {
    const path = join(folder, file);
    writeFileSync(path, text);
    const biome = join(ROOT, 'node_modules/.bin/biome');
    const { status, stdout, stderr } = spawnSync(biome, ['lint', relative(ROOT, path)], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    assert.equal(status === 0, !`${stdout}${stderr}`.includes('noRestrictedImports'), `${stdout}${stderr}`);
    return `${stdout}${stderr}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('Biome refuses an import that the table of rooms does not allow', () => {
  const strategyFromSpace = lint('space', 'a.ts', "export type { Strategy } from '../../strategy/strategy.ts';\n");
  assert.match(strategyFromSpace, /space\/ may import nothing/);
  assert.match(lint('graph', 'a.ts', "export { x } from '../../engine/create.ts';\n"), /graph\/ may import nothing/);
  assert.match(
    lint('study', 'a.ts', "export { STRATEGIES } from '../../strategy/index.ts';\n"),
    /study\/ may import space, strategy\/strategy.ts/,
  );
  assert.doesNotMatch(
    lint('study', 'a.ts', "export type { Strategy } from '../../strategy/strategy.ts';\n"),
    /noRestrictedImports/,
  );
});

test('Biome refuses what only Node can do outside of adapter files', () => {
  for (const name of ['node:fs', 'node:fs/promises', 'sharp', 'onnxruntime-node', './runtime/node.node.ts']) {
    const text = `export * from '${name}';\n`;
    assert.match(lint('engine', 'a.ts', text), /Only \*\.node\.ts files/, name);
    assert.doesNotMatch(lint('engine', 'a.node.ts', text), /noRestrictedImports/, name);
  }
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
      if (existsSync(target)) queue.push(target);
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
