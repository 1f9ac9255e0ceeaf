// Runs all tests: `npm run test:all`, or `node scripts/test.js FILE...` for some of them.
// The tests start about a thousand short processes, which spend most of their time on loading Netsmith. So all tests run after a build:
// bin/program.js has commands and their workers run dist/ as long as it is what the sources would be built to. And processes
// share a cache of compiled code, of which Node checks each entry against its source.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const given = process.argv.slice(2);
const files = given.length > 0 ? given : ['src/**/*.test.ts', 'test/**/*.test.ts'];
// V8 begins with 1 MiB for new objects, and a process that lives for seconds spends a tenth of them on collecting it again and again.
const heap = '--min-semi-space-size=16';
// Three files at a time for two cores: some wait for a time that they gave a command, or for a process that they killed.
const flags = [heap, '--conditions=netsmith-source', '--test', '--test-reporter=spec', '--test-concurrency=3'];
const built =
  given.length > 0 ? 0 : spawnSync(process.execPath, [join(root, 'scripts', 'build.js')], { stdio: 'inherit' }).status;
if (built !== 0) process.exit(1);
const { status } = spawnSync(process.execPath, [...flags, ...files], {
  cwd: root,
  stdio: 'inherit',
  env: { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'node-compile'), ...process.env },
});
process.exitCode = status ?? 1;
