import { messageOf } from '../common/errors.ts';
import { createEngine } from '../engine/create.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import { DEVICES } from '../engine/runtime/runtime.ts';

// The entry of the process that tries a GPU, named by its argument; it sends what stands in the way, or an empty text.
const device = DEVICES.find((name) => name === process.argv[2]) ?? 'webgpu';
const reason = await createEngine(nodeRuntime(), { device, threads: 1 }).then(
  (engine) => engine.dispose().then(() => ''),
  (error: unknown) => messageOf(error),
);
process.send?.(reason, () => process.exit());
