import { deepFreeze } from '../../common/json.ts';
import type { Artifacts } from '../../estimate/estimator.ts';
import {
  type Clock,
  type NewStudy,
  PURPOSES,
  SCHEMA,
  type Store,
  type StrategyState,
  type Trial,
  type TrialKey,
} from './store.ts';
import {
  artifactsOf,
  begun,
  byPurpose,
  checkRevision,
  compareKeys,
  finished,
  forgotten,
  nameOf,
  released,
  reported,
  retried,
} from './transitions.ts';

/**
 * A study that lives as long as this process: for library use, tests and the browser. The trials and strategy states that it is
 * given are frozen and kept, not copied. `now`: milliseconds since 1970.
 */
export function memoryStore(study: NewStudy, now: () => number = Date.now): Store {
  let record = deepFreeze({ schema: SCHEMA, name: study.name, createdAt: now(), settings: copy(study.settings) });
  const trials = byPurpose(() => new Map<number, Trial>());
  const kept = new Map<string, Uint8Array>();
  const earlier = deepFreeze(copy(study.earlier ?? []));
  let strategy: StrategyState = deepFreeze({ revision: 0, state: copy(study.state) });
  let clock: Clock = { searchSeconds: 0, workerSeconds: 0 };

  const all = () => PURPOSES.flatMap((purpose) => [...trials[purpose].values()]);
  const find = (key: TrialKey) => trials[key.purpose].get(key.trial);
  const get = (key: TrialKey): Trial => {
    const trial = find(key);
    if (!trial) throw new Error(`there is no ${nameOf(key)}`);
    return trial;
  };
  const save = (trial: Trial): Trial => {
    trials[trial.purpose].set(trial.trial, trial);
    return trial;
  };
  const removeNeedless = (hashes: readonly string[]) => {
    if (kept.size === 0 || hashes.length === 0) return;
    const needed = new Set(all().flatMap(artifactsOf));
    for (const hash of hashes) if (!needed.has(hash)) kept.delete(hash);
  };
  const advance = (next: StrategyState | undefined) => {
    if (next) strategy = deepFreeze(next);
  };

  return {
    artifacts: memoryArtifacts(kept),
    study: async () => record,
    async revise(settings) {
      record = deepFreeze({ ...record, settings: copy(settings) });
    },
    strategyState: async () => strategy,
    trials: async (purpose) => (purpose === undefined ? all() : [...trials[purpose].values()]).sort(compareKeys),
    trial: async (key) => find(key),
    earlier: async () => earlier,
    async propose(proposed, next) {
      if (next) checkRevision(strategy.revision, next);
      for (const trial of proposed) if (find(trial)) throw new Error(`${nameOf(trial)} exists already`);
      for (const trial of proposed) save(deepFreeze(trial));
      advance(next);
    },
    begin: async (key, costs) => save(begun(get(key), now(), costs)),
    report: async (key, fence, report, checkpoint) => save(reported(get(key), fence, report, checkpoint)),
    async finish(key, fence, end, next) {
      const trial = finished(get(key), fence, end, now());
      if (next) checkRevision(strategy.revision, next);
      advance(next);
      return save(trial);
    },
    release: async (key) => save(released(get(key))),
    clock: async () => clock,
    async recordClock(now) {
      clock = deepFreeze(copy(now));
    },
    async forget(keys) {
      return keys.map(get).map(forgotten).map(save);
    },
    async retry(keys) {
      return keys.map(get).map(retried).map(save);
    },
    discard: async (hashes) => removeNeedless(hashes),
    sweep: async () => removeNeedless([...kept.keys()]),
    close: async () => {},
  };
}

/** Artifacts in this process's memory. */
export function memoryArtifacts(kept: Map<string, Uint8Array> = new Map()): Artifacts {
  return {
    async put(bytes) {
      const hash = await sha256(bytes);
      kept.set(hash, bytes.slice());
      return hash;
    },
    async get(hash) {
      const artifact = kept.get(hash);
      if (!artifact) throw new Error(`there is no artifact ${hash}`);
      return artifact.slice();
    },
  };
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A copy of a value that the caller may still change. */
function copy<T>(value: T): T {
  return structuredClone(value);
}
