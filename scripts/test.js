// Runs all tests: `npm run test:all`, or `node scripts/test.js FILE...` for some of them.
// Most of the time that a short process takes is compiling the source, and the tests start about a thousand of them, so
// they share a cache of compiled code. Node checks each entry against its source.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const given = process.argv.slice(2);
const files = given.length > 0 ? given : ['src/**/*.test.ts', 'test/**/*.test.ts'];
// V8 begins with 1 MiB for new objects, and a process that lives for seconds spends a tenth of them on collecting it again and again.
const heap = '--min-semi-space-size=16';
const flags = [heap, '--conditions=netsmith-source', '--test', '--test-reporter=spec', '--test-concurrency=2'];
const { status } = spawnSync(process.execPath, [...flags, ...files], {
  cwd: root,
  stdio: 'inherit',
  env: { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'node-compile'), ...process.env },
});
process.exitCode = status ?? 1;
