import { messageOf } from '../common/errors.ts';
import { createEngine } from '../engine/create.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';

// The entry of the process that tries the GPU; it sends what stands in the way, or an empty text.
const reason = await createEngine(nodeRuntime(), { device: 'webgpu', threads: 1 }).then(
  (engine) => engine.dispose().then(() => ''),
  (error: unknown) => messageOf(error),
);
process.send?.(reason, () => process.exit());
