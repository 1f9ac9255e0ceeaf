import type { z } from 'zod';
import type { DatasetName } from '../data/catalog.ts';
import type { ArchitectureMethod } from '../oneshot/names.ts';
import type { SPACES } from '../space/spaces/index.ts';
import type { STRATEGIES } from '../strategy/index.ts';
import type { studySchema } from './spec.ts';

type Settings = z.input<typeof studySchema>;
/** Any text, with these completed by an editor. */
type Named<Names extends string> = Names | (string & Record<never, never>);

/** The settings of a study as `netsmith.config.ts` gives them; all may be left out. */
export interface NetsmithConfig extends Omit<Settings, 'data' | 'space' | 'strategy'> {
  data?: Named<DatasetName>;
  /** A name, or a .ts or .js file that exports a space. */
  space?: Named<keyof typeof SPACES>;
  /** A name, or a .ts or .js file that exports a strategy. */
  strategy?: Named<keyof typeof STRATEGIES | ArchitectureMethod>;
}

/**
 * The settings, unchanged: what `netsmith.config.ts` exports as default, so that an editor completes and checks them.
 *
 * ```ts
 * export default defineConfig({ data: 'digits', strategy: 'tpe', trials: 40 });
 * ```
 */
export function defineConfig(config: NetsmithConfig): NetsmithConfig {
  return config;
}
