import type { Engine } from '../engine/engine.ts';

/** What small networks are trained on. */
export type ModelEngine = Engine;

/** What a learned model may need that the caller has to give. */
export interface ModelTools {
  /** The engine that small networks are trained on; called once a model is needed, not before. */
  readonly engine?: () => Promise<ModelEngine>;
}
