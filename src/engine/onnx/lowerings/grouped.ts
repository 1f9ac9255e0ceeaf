/**
 * Grouped convolutions that ONNX Runtime's WebGPU provider computes wrongly (1.30.0; found by comparing with its CPU
 * provider): there, each group becomes its own convolution. The provider computes output channels up to 4 at a time, and
 * mixes up groups where such a packet straddles two of them.
 */
import type { Emitter } from '../value.ts';

/** How many channels the provider computes at a time. */
function packet(channels: number): number {
  return channels % 4 === 0 ? 4 : channels % 2 === 0 ? 2 : 1;
}

/** Whether a `Conv` with that many output channels a group has to be taken apart. */
export function convNeedsSplit({ target }: Emitter, groups: number, outputsPerGroup: number): boolean {
  const straddles = outputsPerGroup >= 4 && outputsPerGroup % packet(groups * outputsPerGroup) !== 0;
  return target === 'webgpu' && groups > 1 && straddles;
}

/** Likewise for a `ConvTranspose` that reads several channels a group and gives one. */
export function transposedNeedsSplit(
  { target }: Emitter,
  groups: number,
  inputsPerGroup: number,
  outputsPerGroup: number,
): boolean {
  return target === 'webgpu' && groups > 1 && outputsPerGroup === 1 && inputsPerGroup > 1;
}

/** An operand of a grouped operator: its groups lie along `axis`, `size` to each. */
export interface GroupedOperand {
  readonly name: string;
  readonly axis: number;
  readonly size: number;
}

/** Applies `body` to each group's part of the operands and joins the results along the channels. */
export function eachGroup(
  { model }: Emitter,
  groups: number,
  operands: readonly GroupedOperand[],
  body: (names: readonly string[]) => string,
): string {
  const results = Array.from({ length: groups }, (_, group) =>
    body(
      operands.map(({ name, axis, size }) =>
        model.node('Slice', [name, model.ints([group * size]), model.ints([(group + 1) * size]), model.ints([axis])]),
      ),
    ),
  );
  return model.node('Concat', results, { axis: 1 });
}
