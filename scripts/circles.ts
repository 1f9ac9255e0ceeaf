// Circles of imports among the files of src/, those of types included. `node scripts/circles.ts` prints one line for each
// group of files that import one another and exits with 1 if there is any; test/circles.test.ts runs it too.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^;'"]*?from\s*'(\.[^']+)'|import\(\s*'(\.[^']+)'\s*\)|(?:^|\n)import '(\.[^']+)'/g;

/** The files that each file imports, by path from the root. */
export function importsBelow(folder: string): ReadonlyMap<string, readonly string[]> {
  const files = globSync(`${folder}/**/*.ts`, { cwd: ROOT });
  return new Map(
    files.map((file) => {
      const text = readFileSync(join(ROOT, file), 'utf8');
      const found = [...text.matchAll(IMPORT)].map(([, one, two, three]) => one ?? two ?? three ?? '');
      return [file, found.map((path) => relative(ROOT, resolve(ROOT, dirname(file), path)))];
    }),
  );
}

/** Groups of more than one file in which each file reaches every other: strongly connected components (Tarjan 1972). */
export function circlesIn(imports: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const [index, low] = [new Map<string, number>(), new Map<string, number>()];
  const [stack, circles]: [string[], string[][]] = [[], []];
  const visit = (file: string): number => {
    const own = index.size;
    index.set(file, own);
    stack.push(file);
    let lowest = own;
    for (const next of imports.get(file) ?? []) {
      if (!index.has(next)) lowest = Math.min(lowest, visit(next));
      else if (stack.includes(next)) lowest = Math.min(lowest, low.get(next) ?? index.get(next) ?? own);
      low.set(file, lowest);
    }
    low.set(file, lowest);
    if (lowest === own) {
      const group = stack.splice(stack.indexOf(file));
      if (group.length > 1 || (imports.get(file) ?? []).includes(file)) circles.push(group.sort());
    }
    return lowest;
  };
  for (const file of imports.keys()) if (!index.has(file)) visit(file);
  return circles;
}

if (process.argv[1] === import.meta.filename) {
  const circles = circlesIn(importsBelow('src'));
  for (const circle of circles) console.log(circle.join(' <-> '));
  process.exitCode = circles.length === 0 ? 0 : 1;
}
