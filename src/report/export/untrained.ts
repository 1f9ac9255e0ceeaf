import { type Rng, rng } from '../../common/random.ts';
import type { SearchData } from '../../data/dataset.ts';
import { toOnnx } from '../../engine/onnx/lower.ts';
import { createGraph, finish } from '../../graph/builder.ts';
import type { Shape } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import { eliminateDeadCode, optimize } from '../../graph/passes.ts';
import { endsOf, lowerForInference } from '../../network/costs.ts';
import { initialize } from '../../network/initialize.ts';
import { lowerNetwork } from '../../network/lower.ts';
import type { LoweredNetwork } from '../../network/network.ts';
import type { Task } from '../../space/space.ts';
import type { Module } from '../../space/tree/module.ts';
import { taskOf } from '../../task/index.ts';
import { inferenceGraph } from '../../train/program.ts';
import { foldWeights } from './fold.ts';
import { exportOnnx } from './onnx.ts';

/**
 * The export of a network with random weights, to be timed: it takes raw inputs and gives answers, as the trained one will. Throws UserError
 * where the network cannot be built.
 */
export function untrainedExport(network: Module, { info, task }: Pick<SearchData, 'info' | 'task'>): Uint8Array {
  const own = task && { task };
  const state = taskOf(info, task).spec(info).recurrent === true;
  const { parameters, statistics } = inferenceGraph({ network, info, resolution: 1, state, ...own }, 1);
  const weights = initialize([...parameters, ...statistics], repeating());
  const about = { version: '', space: '', architecture: '', training: null };
  return exportOnnx({ network, info, weights, about, openLength: false, ...own });
}

/**
 * The same without the preparation of raw inputs and the answers at its end, where there are no data. Input `x`.
 */
export function untrainedOnnx(network: Module, task: Task): Uint8Array {
  const g = createGraph();
  return untrained(g, lowerForInference(g, network, task));
}

/** A part of a network of this task, likewise; `input`: the shape of what it reads, without the batch. */
export function untrainedPart(part: Module, task: Task, input: Shape): Uint8Array {
  const g = createGraph();
  const x = ops.input(g, 'x', [1, ...input]);
  return untrained(g, lowerNetwork(g, part, x, { ...endsOf(task), shape: 'any', mode: 'infer' }));
}

function untrained(
  g: ReturnType<typeof createGraph>,
  { output, parameters, statistics }: Pick<LoweredNetwork, 'output' | 'parameters' | 'statistics'>,
): Uint8Array {
  const weights = initialize([...parameters, ...statistics], repeating());
  const folded = foldWeights({ graph: optimize(finish(g, { output })), weights }, 'x');
  return toOnnx(eliminateDeadCode(folded.graph), {
    target: 'standard',
    openBatch: ['x'],
    initializers: folded.weights,
    name: 'netsmith',
  });
}

const DRAWN = 4099;

/** Streams that repeat a few thousand numbers: they cost nothing, and a latency does not depend on weights. */
function repeating(): () => Rng {
  const drawn = rng('untrained');
  const [normals, floats] = [drawn.normal, drawn.float].map((draw) => Array.from({ length: DRAWN }, draw));
  return () => {
    let at = 0;
    const next = (numbers: readonly number[] = []) => numbers[at++ % DRAWN] ?? 0;
    return { ...drawn, normal: () => next(normals), float: () => next(floats) };
  };
}
