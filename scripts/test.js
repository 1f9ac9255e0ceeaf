// Runs all tests: `npm run test:all`, or `node scripts/test.js FILE...` for some of them.
// The tests start about a thousand short processes, which spend most of their time on loading Netsmith. So all tests run after a build:
// bin/program.js has commands and their workers run dist/ as long as it is what the sources would be built to. And processes
// share a cache of compiled code, of which Node checks each entry against its source.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const given = process.argv.slice(2);
// V8 begins with 1 MiB for new objects, and a process that lives for seconds spends a tenth of them on collecting it again and again.
const flags = ['--min-semi-space-size=16', '--conditions=netsmith-source', '--test', '--test-reporter=spec'];
const options = {
  cwd: root,
  env: { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'node-compile'), ...process.env },
};

if (given.length > 0) process.exitCode = await runTests(['--test-concurrency=3', ...given]);
else {
  const built = spawnSync(process.execPath, [join(root, 'scripts', 'build.js')], { stdio: 'inherit' }).status;
  if (built !== 0) process.exit(1);
  // The tests of src/ share one process, which compiles their common code once. Those of test/ mostly wait for commands that they start, so two
  // files of them run at the same time, for two cores. The output of the tests of src/ comes last.
  const ofSources = spawn(process.execPath, [...flags, '--test-isolation=none', 'src/**/*.test.ts'], {
    ...options,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = text(ofSources.stdout);
  const ended = once(ofSources, 'close');
  const status = await runTests(['--test-concurrency=2', 'test/**/*.test.ts']);
  process.stdout.write(await said);
  const [sources] = await ended;
  process.exitCode = status || (sources ?? 1);
}

/** The exit code of `node --test` on these files. */
async function runTests(args) {
  const child = spawn(process.execPath, [...flags, ...args], { ...options, stdio: 'inherit' });
  const [status] = await once(child, 'close');
  return status ?? 1;
}
