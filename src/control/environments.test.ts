import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENVIRONMENTS } from './index.ts';
import { testEnvironment } from './testing/conformance.ts';

for (const environment of Object.values(ENVIRONMENTS)) testEnvironment(environment);

test('each environment is listed by its own name, and says what it is', () => {
  for (const [name, environment] of Object.entries(ENVIRONMENTS)) {
    assert.equal(environment.name, name);
    assert.notEqual(environment.description, '', name);
  }
});
