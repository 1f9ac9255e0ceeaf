import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';

// A repository with the command of this one, whose sources and dist/ only say which of them runs.

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-program-'));
  cpSync(join(import.meta.dirname, '..', 'bin'), join(folder, 'bin'), { recursive: true });
  for (const [form, ending] of [
    ['src', 'ts'],
    ['dist', 'js'],
  ] as const) {
    mkdirSync(join(folder, form, 'cli'), { recursive: true });
    writeFileSync(join(folder, form, `index.${ending}`), '');
    writeFileSync(
      join(folder, form, 'cli', `main.${ending}`),
      `export const main = async () => console.log('${form}');\n`,
    );
  }
  const library = { 'netsmith-source': './src/index.ts', default: './dist/index.js' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'netsmith', type: 'module', exports: library }));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function node(...args: string[]): string {
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

const runs = (...flags: string[]) => node(...flags, join('bin', 'netsmith.js'));

/** Notes that dist/ is built from the sources as they are. */
function build(): void {
  const program = JSON.stringify(pathToFileURL(join(folder, 'bin', 'program.js')).href);
  const stamp = `import { fingerprint, STAMP } from ${program}; fs.writeFileSync(STAMP, fingerprint());`;
  node('--input-type=module', '-e', stamp);
}

test('dist/ runs only as long as it is what the sources would be built to', () => {
  assert.equal(runs(), 'src', 'nothing says what dist/ was built from');
  build();
  assert.equal(runs(), 'dist');
  assert.equal(runs('--conditions=netsmith-source'), 'src', 'the sources are asked for');

  const main = join(folder, 'src', 'cli', 'main.ts');
  writeFileSync(join(folder, 'src', 'cli', 'main.test.ts'), '');
  assert.equal(runs(), 'dist', 'tests are not built');
  const changes = {
    'a file has changed': () => writeFileSync(main, "export const main = async () => console.log('src ');\n"),
    'a file is new': () => writeFileSync(join(folder, 'src', 'new.ts'), ''),
    'a file has another name': () => renameSync(join(folder, 'src', 'new.ts'), join(folder, 'src', 'newer.ts')),
    'a file is gone': () => rmSync(join(folder, 'src', 'newer.ts')),
    'other packages may be installed': () => writeFileSync(join(folder, 'package-lock.json'), '{}'),
  };
  for (const [what, change] of Object.entries(changes)) {
    change();
    assert.equal(runs(), 'src', what);
    build();
    assert.equal(runs(), 'dist');
  }
});

test('a package without sources runs dist/', () => {
  rmSync(join(folder, 'src'), { recursive: true });
  rmSync(join(folder, 'dist', '.sources'));
  assert.equal(runs(), 'dist');
});
