import type { Json } from '../../common/json.ts';
import type { Architecture } from '../../space/space.ts';
import { withinLimits } from '../limits.ts';
import type { Strategy } from '../strategy.ts';

export type TryingFirstState = {
  /** Those that have not been proposed yet. */
  readonly waiting: readonly Architecture[];
  readonly inner: Json;
};

/**
 * Proposes these architectures first, in their order and at the full fidelity, then what the inner strategy proposes; it is told
 * how the first ones did. Those beyond a limit are left out.
 */
export function tryingFirst(inner: Strategy, first: readonly Architecture[]): Strategy<TryingFirstState> {
  return {
    name: inner.name,
    init: (problem) => ({
      waiting: first.filter((architecture) => withinLimits(problem, architecture)),
      inner: inner.init(problem),
    }),
    async ask(problem, { waiting, inner: state }, trial, count) {
      const proposals = waiting.slice(0, count).map((architecture) => ({
        architecture,
        fidelity: problem.fidelities.length - 1,
        start: { kind: 'fresh' } as const,
      }));
      const left = count - proposals.length;
      if (left === 0) return [{ waiting: waiting.slice(count), inner: state }, proposals];
      const [next, others] = await inner.ask(problem, state, trial + proposals.length, left);
      return [{ waiting: [], inner: next }, [...proposals, ...others]];
    },
    async tell(problem, { waiting, inner: state }, outcomes) {
      return { waiting, inner: await inner.tell(problem, state, outcomes) };
    },
    ...(inner.continuable && { continuable: (state: TryingFirstState) => inner.continuable?.(state.inner) ?? [] }),
  };
}
