// What runs: the sources, or what they are built to. A published package has dist/ alone. In the repository dist/ runs too, since it starts
// several times faster, but only as long as it is what the sources would be built to.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('..', import.meta.url);
const FOLDER = fileURLToPath(ROOT);
/** All that dist/ is built from. */
const SOURCES = [
  'src',
  'scripts/build.js',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
];
const NOT_BUILT = /\.test\.ts$|^testing$/;

/** The file that holds the fingerprint of the sources that dist/ was built from. */
export const STAMP = 'dist/.sources';

/** Of the names, sizes and times of change of all that dist/ is built from. */
export function fingerprint() {
  const hash = createHash('sha256');
  const add = (path) => {
    const found = statSync(FOLDER + path, { throwIfNoEntry: false });
    if (found?.isFile()) hash.update(`${path} ${found.size} ${found.mtimeMs}\n`);
    else if (found?.isDirectory())
      for (const name of readdirSync(FOLDER + path).sort()) if (!NOT_BUILT.test(name)) add(`${path}/${name}`);
  };
  for (const path of SOURCES) add(path);
  return hash.digest('hex');
}

/** Whether dist/ is what the sources would be built to. */
export function isBuilt() {
  return existsSync(FOLDER + STAMP) && readFileSync(FOLDER + STAMP, 'utf8') === fingerprint();
}

/** The address of a module, named by its path without the ending: in dist/ if that is built, else in src/. */
export function moduleOf(name) {
  const isSource = existsSync(`${FOLDER}src`) && !isBuilt();
  return new URL(isSource ? `src/${name}.ts` : `dist/${name}.js`, ROOT).href;
}

/** The module with the command line's `main`. With the condition netsmith-source Node takes the sources in any case, so this does, too. */
export function mainModule() {
  const library = import.meta.resolve('netsmith');
  return library.endsWith('/src/index.ts') ? new URL('cli/main.ts', new URL('.', library)).href : moduleOf('cli/main');
}
