// Builds dist/ and schema/: the JavaScript and declarations that the published package holds (Node strips no types under
// node_modules), and the JSON Schema of netsmith.config.json. Run by `prepare`, so by `npm ci` too. Does nothing if dist/ is built already.
//
// The modules are bundled, because a command that loads 700 files spends most of its time on finding and reading them. What every command
// loads of other packages is bundled with them; dist/licenses.txt has their licenses.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { fingerprint, isBuilt, STAMP } from '../bin/program.js';
import { ASSETS, ENTRIES } from '../src/common/package-files.node.ts';
import { configSchema, SCHEMA_FILE } from '../src/study/config-schema.ts';

/** Packages that every command loads. They are copied into dist/, with what they need; all others stay where npm installs them. */
const BUNDLED = ['csv-parse', 'kysely', 'log-update', 'pure-rand', 'string-width', 'zod'];
const PUBLIC = ['index', 'node', 'web', 'cli/main'];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [source, target] = [join(root, 'src'), join(root, 'dist')];
// Processes may be running what is in dist/, so it is replaced at once, and only by all that belongs to it.
const made = join(root, 'node_modules', '.cache', `netsmith-dist-${process.pid}`);

if (!isBuilt()) {
  const stamp = fingerprint();
  try {
    await Promise.all([declare(), bundle()]);
    for (const asset of ASSETS) cpSync(join(source, asset), join(made, asset));
    writeFileSync(join(made, basename(STAMP)), stamp);
    rmSync(target, { recursive: true, force: true });
    renameSync(made, target);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}
mkdirSync(dirname(join(root, SCHEMA_FILE)), { recursive: true });
writeFileSync(join(root, SCHEMA_FILE), `${JSON.stringify(configSchema(), null, 2)}\n`);

/** The declarations, a file for each module. */
async function declare() {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const args = [compiler, '-p', join(root, 'tsconfig.build.json'), '--emitDeclarationOnly', '--outDir', made];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error('the declarations cannot be made');
}

async function bundle() {
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const packages = new Set();
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    ssr: {
      noExternal: true,
      external: Object.keys({ ...dependencies, ...peerDependencies }).filter((name) => !BUNDLED.includes(name)),
    },
    plugins: [
      {
        name: 'licenses',
        generateBundle() {
          for (const id of this.getModuleIds()) {
            const [, folder] = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)/.exec(id) ?? [];
            if (folder !== undefined && !this.getModuleInfo(id).isExternal) packages.add(folder);
          }
        },
      },
    ],
    build: {
      ssr: true,
      target: 'es2024',
      // Stack traces must be readable.
      minify: false,
      outDir: made,
      emptyOutDir: false,
      reportCompressedSize: false,
      rolldownOptions: {
        platform: 'neutral',
        input: Object.fromEntries([...PUBLIC, ...ENTRIES].map((name) => [name, join(source, `${name}.ts`)])),
        output: { entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  });
  writeFileSync(join(made, 'licenses.txt'), [...packages].sort().map(licenseOf).join('\n\n'));
}

/** The name, version and license of a package in this folder. */
function licenseOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${name} has no license file, so it must not be bundled`);
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
}
