import { invalid, UserError } from '../../../common/errors.ts';
import type { Task } from '../../space.ts';
import {
  activation,
  choice,
  conv,
  dagOfNodes,
  flatten,
  identity,
  int,
  last,
  linear,
  pick,
  recurrent,
  repeat,
  scoped,
  sequential,
  zero,
} from '../../tree/builders.ts';
import { defineSpace } from '../../tree/define.ts';
import type { Module } from '../../tree/module.ts';

const WIDTHS = [16, 32, 64, 128, 256];
/** What the sides of an image are halved to at most before its first layer of full stride. */
const LARGEST_SIDE = 16;

/**
 * Policies for control: 1 to 3 hidden layers, each with its own width, and one activation. An image, [C, H, W], goes through 1 to 3
 * convolutions first. Observations with a time axis, [F, T], may be remembered: a GRU (Cho et al. 2014) or an LSTM (Hochreiter & Schmidhuber
 * 1997) follows the layers, and a training unrolls it. Our own, after the networks of Andrychowicz et al. 2021, "What matters for on-policy
 * deep actor-critic methods?".
 *
 * `value`: the last output is the value of the state, which a decision gives a network of its own (separate) or the policy's (shared).
 * `deviations`: the outputs before it are means of a Gaussian and as many logarithms of its deviations, which depend on no observation.
 * A task that has a `head` says both, whatever the options are. (5 + 5^2 + 5^3) · 3 · 2 = 930 architectures; of images 9 times as many, with a time axis 11 times as many.
 */
export const policy = defineSpace(
  'policy',
  (task, options) => {
    const { value, deviations } = task.head ?? options;
    const outputs = policyOutputs(task, value, deviations);
    const policyHead = (): Module => (deviations ? gaussian(outputs / 2) : linear(outputs));
    const body = bodyOf(task);
    const ending = task.input.length === 2 && task.positions === undefined ? [last()] : [];
    if (!value) return sequential(body, policyHead(), ...ending);
    const shared = deviations ? sequential(body, beside(policyHead(), linear(1))) : sequential(body, linear('outputs'));
    const separate = beside(sequential(body, policyHead()), sequential(body, linear(1)));
    return sequential(choice('value', { shared, separate }), ...ending);
  },
  {
    description: 'policies for control: layers, activation, memory (GRU, LSTM), convolutions of images, value head',
    defaults: { value: true, deviations: false },
  },
);

/** Outputs without the value. */
function policyOutputs({ outputs, vocabulary }: Task, value: boolean, deviations: boolean): number {
  if (vocabulary !== undefined) throw invalid('input', 'is tokens', 'must be numbers');
  const own = value ? outputs - 1 : outputs;
  if (own < 1)
    throw new UserError(`option value makes the last output a value; outputs is ${outputs}, must be at least 2`);
  if (deviations && own % 2 === 1)
    throw new UserError(
      `option deviations is true; outputs, ${outputs}, must be a mean and a deviation for each action, and one for a value`,
    );
  return own;
}

function bodyOf({ input }: Task): Module {
  const act = activation(pick('activation', ['tanh', 'relu', 'silu']));
  const layers = repeat(int('depth', 1, 3), sequential(scoped('layer', linear(pick('width', WIDTHS))), act));
  if (input.length === 3) return sequential(...convolutions(input, act), flatten(), layers);
  if (input.length === 1) return layers;
  const units = pick('units', WIDTHS);
  const memory = choice('memory', { none: identity(), gru: recurrent('gru', units), lstm: recurrent('lstm', units) });
  return sequential(layers, memory);
}

function convolutions([, height = 1, width = 1]: readonly number[], act: Module): Module[] {
  const channels = pick('channels', [8, 16, 32]);
  const halvings = Math.max(0, Math.ceil(Math.log2(Math.min(height, width) / LARGEST_SIDE)));
  const halving = sequential(conv(channels, 3, { stride: 2, bias: true }), act);
  const layer = sequential(conv(channels, 3, { bias: true }), act);
  return [...(halvings > 0 ? [repeat(halvings, halving)] : []), repeat(int('convolutions', 1, 3), layer)];
}

/** `size` means, computed from the input, then `size` logarithms of deviations: the bias of a layer that reads zeros. */
const gaussian = (size: number): Module => beside(linear(size), sequential(zero(), linear(size)));

/** What several modules make of one input, one after another along axis 1. */
function beside(...parts: readonly Module[]): Module {
  return dagOfNodes(parts.length, (node) => ({ from: [0], body: parts[node - 1] ?? identity() }), { output: 'concat' });
}
