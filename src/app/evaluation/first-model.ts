import { messageOf } from '../../common/errors.ts';
import type { HostTensor } from '../../graph/ir.ts';
import type { StudyEvent } from '../../study/events.ts';
import type { Store, Trial } from '../../study/store/store.ts';
import { decodeCheckpoint } from '../../train/checkpoint.ts';
import { exportBest } from '../export.ts';
import type { Notes } from '../notes.ts';
import type { Setup } from '../setup.ts';
import { encodeWeights, writeWeights } from './evaluation.ts';

/** Exports the best network of a search that is still going on. */
export interface EarlyExports {
  onEvent(event: StudyEvent): void;
  /** Waits until the best network so far has been exported. */
  finish(): Promise<void>;
}

/** An export may take at most about this share of a search's time. */
const SHARE = 0.05;

/**
 * Exports the first network of a search with the weights that its trial ended with as soon as there is one, and better ones as they
 * come, so that a kill leaves a model. If an export fails, a note says why, and the search continues.
 */
export function exportEarly(dir: string, setup: Setup, store: Store, notes: Notes): EarlyExports {
  let latest: number | undefined;
  let exported: number | undefined;
  let running = Promise.resolve();
  let notBefore = 0;

  const exportLatest = async (): Promise<void> => {
    const number = latest;
    if (number === undefined || number === exported) return;
    const began = performance.now();
    try {
      const trial = await store.trial({ purpose: 'search', trial: number });
      if (trial === undefined || !(await keepWeightsOf(dir, store, trial))) return;
      const choice = { trial: number, by: setup.problem.objectives[0].metric, front: [number] };
      const chosen = { trial, metrics: trial.metrics, confirmations: 0, choice };
      const { file } = await exportBest(dir, setup, chosen, { ofTrial: true }, {}, new AbortController().signal);
      if (exported === undefined) notes.note(`First model: ${file} (trial ${number}); better ones will replace it.`);
      exported = number;
    } catch (error) {
      notes.note(`The model of trial ${number} could not be exported yet: ${messageOf(error)}`);
    }
    notBefore = performance.now() + (performance.now() - began) / SHARE;
  };

  return {
    onEvent(event) {
      if (event.kind !== 'best') return;
      latest = event.best[0]?.trial;
      if (performance.now() >= notBefore) running = running.then(exportLatest);
    },
    finish: () => running.then(exportLatest),
  };
}

/** Keeps the weights that a search trial hands on in `best/`. False where the trial has left none. */
async function keepWeightsOf(dir: string, store: Pick<Store, 'artifacts'>, trial: Trial): Promise<boolean> {
  const { checkpoint, architecture } = trial;
  if (checkpoint === undefined) return false;
  const { tensors, best, history } = decodeCheckpoint(await store.artifacts.get(checkpoint));
  const about = { architecture, epochs: best?.epoch ?? history.length, seed: 0, ofTrial: true } as const;
  writeWeights(dir, about, encodeWeights(best?.weights ?? withoutOptimizer(tensors)));
  return true;
}

/** The tensors of the network: those of the optimizer are called `PATH:ROLE`. */
function withoutOptimizer(tensors: Readonly<Record<string, HostTensor>>): Record<string, HostTensor> {
  const isOptimizers = (name: string) =>
    name.includes(':') && Object.hasOwn(tensors, name.slice(0, name.lastIndexOf(':')));
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => !isOptimizers(name)));
}
