import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quoted } from './command-line.ts';
import { commandName } from './invocation.ts';

const called = (script: string, env: Readonly<Record<string, string>> = {}) =>
  commandName({ env, script, cwd: '/home/ann/project', platform: 'linux' });

test('a hint names the program as it was called', () => {
  const local = '/home/ann/project/node_modules/.bin/netsmith';
  assert.equal(called('/usr/local/bin/netsmith'), 'netsmith');
  assert.equal(called('/usr/local/lib/node_modules/netsmith/bin/netsmith.js'), 'netsmith');
  assert.equal(called(local), 'npx netsmith');
  assert.equal(called(local, { npm_command: 'exec' }), 'npx netsmith');
  assert.equal(called('/home/ann/.npm/_npx/1a2b/node_modules/.bin/netsmith', { npm_command: 'exec' }), 'npx netsmith');
  assert.equal(called('/home/ann/project/bin/netsmith.js', { npm_lifecycle_event: 'start' }), 'npx netsmith');
  assert.equal(
    called(local, { npm_execpath: 'x', npm_config_user_agent: 'pnpm/10.2 npm/? node/v24' }),
    'pnpm exec netsmith',
  );
  assert.equal(called(local, { npm_execpath: 'x', npm_config_user_agent: 'yarn/4.1 npm/? node/v24' }), 'yarn netsmith');
  assert.equal(called('/home/ann/project/bin/netsmith.js'), 'node bin/netsmith.js');
  assert.equal(called('/opt/my tools/netsmith.js'), "node '/opt/my tools/netsmith.js'");
});

test('words with spaces and quotes are quoted for the shell of the machine', () => {
  assert.equal(quoted('runs/digits-1', 'linux'), 'runs/digits-1');
  assert.equal(quoted("runs/ann's study", 'linux'), "'runs/ann'\\''s study'");
  assert.equal(quoted('runs\\my study', 'win32'), '"runs\\my study"');
});
