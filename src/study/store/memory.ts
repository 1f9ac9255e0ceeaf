import { deepFreeze } from '../../common/json.ts';
import type { Artefacts } from '../../estimate/estimator.ts';
import {
  type Clock,
  type NewStudy,
  SCHEMA,
  type Store,
  type StrategyState,
  type Trial,
  type TrialKey,
} from './store.ts';
import { begun, checkRevision, compareKeys, finished, forgotten, nameOf, released, reported } from './transitions.ts';

interface KeptArtefact {
  readonly bytes: Uint8Array;
  readonly putAt: number;
}

/**
 * A study that lives as long as this process: for library use, tests and the browser. The trials and strategy states that it is
 * given are frozen and kept, not copied. `now`: milliseconds since 1970.
 */
export function memoryStore(study: NewStudy, now: () => number = Date.now): Store {
  let record = deepFreeze({ schema: SCHEMA, name: study.name, createdAt: now(), settings: copy(study.settings) });
  const trials: Readonly<Record<Trial['purpose'], Map<number, Trial>>> = { search: new Map(), confirm: new Map() };
  const kept = new Map<string, KeptArtefact>();
  const earlier = deepFreeze(copy(study.earlier ?? []));
  let strategy: StrategyState = deepFreeze({ revision: 0, state: copy(study.state) });
  let clock: Clock = { searchSeconds: 0, workerSeconds: 0 };

  const all = () => [...trials.search.values(), ...trials.confirm.values()];
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
  const advance = (next: StrategyState | undefined) => {
    if (next) strategy = deepFreeze(next);
  };

  return {
    artefacts: memoryArtefacts(kept, now),
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
    begin: async (key) => save(begun(get(key), now())),
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
    async sweep(graceMs = 0) {
      if (kept.size === 0) return;
      const needed = new Set(all().map((trial) => trial.checkpoint));
      for (const [hash, { putAt }] of kept) if (!needed.has(hash) && now() - putAt >= graceMs) kept.delete(hash);
    },
    close: async () => {},
  };
}

/** Artefacts in this process's memory. */
export function memoryArtefacts(kept: Map<string, KeptArtefact> = new Map(), now: () => number = Date.now): Artefacts {
  return {
    async put(bytes) {
      const hash = await sha256(bytes);
      kept.set(hash, { bytes: bytes.slice(), putAt: now() });
      return hash;
    },
    async get(hash) {
      const artefact = kept.get(hash);
      if (!artefact) throw new Error(`there is no artefact ${hash}`);
      return artefact.bytes.slice();
    },
  };
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Of what the caller may go on to change. */
function copy<T>(value: T): T {
  return structuredClone(value);
}
