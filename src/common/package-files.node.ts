/**
 * Where the files of this package are, whether it runs from its sources in the repository or from `dist/`. The build bundles the modules of
 * `dist/`, so the place of a module's code says nothing about what lies beside its source.
 */

/** The modules that a process or a thread of its own begins with, by their paths below `src/`; the build makes each a file of `dist/`. */
export const ENTRIES = [
  'app/gpu-trial.node',
  'app/worker.node',
  'control/process/thread.node',
  'device/timing-process.node',
  'engine/runtime/session-thread.node',
] as const;

/** The files that are read as they are, by their paths below `src/`; the build copies them into `dist/`. */
export const ASSETS = [
  'device/browser-page.js',
  'estimate/tabular/nas-bench-201.pack',
  'report/tabular/nas-bench-201-test.pack',
] as const;

const ROOT = new URL('.', import.meta.resolve('netsmith/package.json'));
const IS_SOURCE = import.meta.url.endsWith('.ts');

export function entryModule(name: (typeof ENTRIES)[number]): URL {
  return new URL(IS_SOURCE ? `src/${name}.ts` : `dist/${name}.js`, ROOT);
}

export function asset(name: (typeof ASSETS)[number]): URL {
  return new URL(`${IS_SOURCE ? 'src' : 'dist'}/${name}`, ROOT);
}

/** `package.json` of Netsmith itself. */
export const packageJson = (): URL => new URL('package.json', ROOT);
