// Checks and runs all tests: `npm test`; without the checks: `npm run test:all`; some files of tests: `node scripts/test.js FILE...`.
// The tests start hundreds of short processes, each of which loads Netsmith. So all tests run after a build: bin/program.js has commands and
// their workers run dist/ as long as it is what the sources would be built to. And processes share a cache of compiled code, of which Node
// checks each entry against its source.
import { spawn } from 'node:child_process';
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

const running = new Set();

if (given.length === 0) process.exitCode = await runAll();
else if (given[0] === '--check') {
  // Checks and the build each keep one core busy for most of their time, so they run beside each other.
  const [checked, tested] = await Promise.all([check(), runAll()]);
  process.exitCode = checked || tested;
} else process.exitCode = await end(start(process.execPath, [...flags, '--test-concurrency=3', ...given]));

/** The exit code of the checks. If they fail, it stops the tests. */
async function check() {
  const status = await end(start('npm run -s check', [], { shell: true }));
  if (status !== 0) for (const child of running) child.kill();
  return status;
}

async function runAll() {
  const built = await end(start(process.execPath, [join(root, 'scripts', 'build.js')]));
  if (built !== 0) return built;
  // The tests of src/ share one process, which compiles their common code once. Those of test/ mostly wait for commands that they start, so two
  // files of them run at the same time, for two cores. The output of the tests of src/ comes last.
  const ofSources = start(process.execPath, [...flags, '--test-isolation=none', 'src/**/*.test.ts'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said, sources, others] = await Promise.all([
    text(ofSources.stdout),
    end(ofSources),
    end(start(process.execPath, [...flags, '--test-concurrency=2', 'test/**/*.test.ts'])),
  ]);
  process.stdout.write(said);
  return others || sources;
}

function start(command, args, settings) {
  const child = spawn(command, args, { ...options, stdio: 'inherit', ...settings });
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

/** The exit code of a process, once it has ended. */
async function end(child) {
  const [status] = await once(child, 'close');
  return status ?? 1;
}
