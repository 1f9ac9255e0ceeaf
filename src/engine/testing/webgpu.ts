/** Tests on WebGPU, where the machine has a driver; scripts/software-vulkan.sh brings one without a graphics card. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageOf } from '../../common/errors.ts';
import { createEngine } from '../create.ts';
import type { Engine } from '../engine.ts';
import { threadedRuntime } from '../runtime/thread.node.ts';

/** Set to 1 where the driver must be there, as in CI: what would be skipped fails then. */
const REQUIRE = 'NETSMITH_REQUIRE_WEBGPU';

/**
 * Opens the device and returns what defines a test on it. Without a driver each test is skipped with the reason, or fails
 * with it where NETSMITH_REQUIRE_WEBGPU is 1.
 */
export async function webgpuTests(): Promise<(name: string, body: (engine: Engine) => Promise<void>) => void> {
  const found = await createEngine(threadedRuntime(), { device: 'webgpu', threads: 1 }).catch(messageOf);
  return (name, body) => {
    if (typeof found !== 'string') test(name, () => body(found));
    else if (process.env[REQUIRE] === '1') test(name, () => assert.fail(`${REQUIRE} is 1, but ${found}`));
    else test(name, { skip: found }, () => {});
  };
}
