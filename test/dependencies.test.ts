import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { dependencies, dependenciesPage, INSTALL_SCRIPTS, isAllowed, optionalPeers } from '../scripts/dependencies.ts';

const ROOT = resolve(import.meta.dirname, '..');

test('every dependency has a license that is allowed, and only those known run a script when installed', () => {
  const all = dependencies();
  assert.ok(all.length > 50 && all.some(({ name, isDirect }) => name === 'zod' && isDirect));
  assert.ok(all.every(({ name }) => name !== 'typescript' && name !== '@biomejs/biome'));
  assert.deepEqual(
    all.filter((one) => !isAllowed(one)).map(({ name, license }) => `${name}: ${license}`),
    [],
  );
  assert.deepEqual(
    all.flatMap(({ name, hasInstallScript }) => (hasInstallScript ? [name] : [])),
    Object.keys(INSTALL_SCRIPTS),
  );
});

test('optional packages have a license that is allowed and their exact versions, and are none of the dependencies', () => {
  const { peerDependencies, peerDependenciesMeta } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const peers = optionalPeers();
  assert.deepEqual(Object.fromEntries(peers.map(({ name, version }) => [name, version])), peerDependencies);
  assert.ok(peers.length > 0 && peers.every(({ name }) => peerDependenciesMeta[name].optional === true));
  assert.ok(peers.every(isAllowed));
  const names = dependencies().map(({ name }) => name);
  assert.ok(peers.every(({ name }) => !names.includes(name)));
});

test('an unknown or copyleft license is not allowed, a choice of a permissive one is', () => {
  const allowed = (license: string, name = 'x') => isAllowed({ name, license });
  for (const license of [
    '',
    'GPL-3.0-or-later',
    'MIT AND GPL-2.0',
    'LGPL-3.0-or-later',
    'EPL-2.0',
    'UNLICENSED',
    'SEE LICENSE IN x',
  ])
    assert.ok(!allowed(license), license);
  for (const license of ['MIT', '(MIT OR CC0-1.0)', 'GPL-2.0 OR Apache-2.0', 'MIT AND ISC'])
    assert.ok(allowed(license), license);
  assert.ok(allowed('Apache-2.0 AND LGPL-3.0-or-later', '@img/sharp-win32-x64'));
});

test('docs/dependencies.md is what `npm run dependencies -- --write` writes', () => {
  assert.equal(readFileSync(join(ROOT, 'docs', 'dependencies.md'), 'utf8'), dependenciesPage());
});
