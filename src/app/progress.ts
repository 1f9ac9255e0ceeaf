import { collapseOf } from '../oneshot/guards.ts';
import type { Store } from '../study/store/store.ts';
import { createLiveView, type LiveView } from '../terminal/live.ts';
import type { Output } from '../terminal/output.ts';
import { budgetOf, type Setup } from './setup.ts';

/**
 * A view of a search that is about to begin, or to continue: what was there before counts. `seconds`: of search in all, by default those of
 * the settings.
 */
export async function openProgress(
  setup: Setup,
  store: Store,
  output: Pick<Output, 'note' | 'quiet' | 'screen' | 'footer'>,
  seconds = budgetOf(setup.settings).seconds,
): Promise<LiveView> {
  const ended = (await store.trials('search')).filter(({ endedAt }) => endedAt !== undefined).length;
  // The seconds of a table are not those of this clock.
  const isTimed = seconds !== undefined && setup.estimator.kind !== 'table';
  const secondsToGo = isTimed ? seconds - (await store.clock()).searchSeconds : undefined;
  return createLiveView({ ...setup, collapseOf }, secondsToGo, ended, output);
}
