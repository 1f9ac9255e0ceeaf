import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { UserError } from '../../common/errors.ts';
import type { Samples } from '../dataset.ts';

/** A folder that is removed after the test. */
export async function tempFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'netsmith-data-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** All samples of a part: one array of inputs for each, and the targets. */
export async function readAll(samples: Samples, elements: number): Promise<{ inputs: number[][]; targets: number[] }> {
  const indices = Array.from({ length: samples.count }, (_, i) => i);
  const inputs = new Float32Array(samples.count * elements);
  const targets = new Float32Array(samples.count);
  await samples.read(indices, { input: inputs, target: targets });
  return {
    inputs: indices.map((i) => [...inputs.subarray(i * elements, (i + 1) * elements)]),
    targets: [...targets],
  };
}

/** Asserts that the promise is refused with a UserError whose message holds all of `parts`. */
export async function assertRefused(promise: Promise<unknown>, ...parts: readonly string[]): Promise<void> {
  const error = await promise.then(
    () => assert.fail('it was not refused'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof UserError, String(error));
  for (const part of parts) assert.ok(error.message.includes(part), `"${error.message}" lacks "${part}"`);
}
