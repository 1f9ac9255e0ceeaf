// Builds dist/ and schema/: the JavaScript and declarations that the published package holds (Node strips no types under
// node_modules), and the JSON Schema of netsmith.config.json. Run by `prepare`, so by `npm ci` too. Files that are not TypeScript are copied beside their module.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [source, target] = [join(root, 'src'), join(root, 'dist')];

rmSync(target, { recursive: true, force: true });
const compiler = createRequire(import.meta.url).resolve('typescript/package.json');
const { status } = spawnSync(
  process.execPath,
  [join(dirname(compiler), 'bin', 'tsc'), '-p', join(root, 'tsconfig.build.json')],
  { stdio: 'inherit' },
);
if (status !== 0) process.exit(1);
cpSync(source, target, {
  recursive: true,
  filter: (path) => extname(path) !== '.ts' && !path.split(/[\\/]/).includes('testing'),
});
if (!existsSync(join(target, 'index.js'))) throw new Error('the build wrote no dist/index.js');

const { configSchema, SCHEMA_FILE } = await import(pathToFileURL(join(target, 'study', 'config-schema.js')).href);
mkdirSync(dirname(join(root, SCHEMA_FILE)), { recursive: true });
writeFileSync(join(root, SCHEMA_FILE), `${JSON.stringify(configSchema(), null, 2)}\n`);
