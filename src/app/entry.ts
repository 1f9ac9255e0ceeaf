/** The module of this folder that its own process begins with: source in the repository, JavaScript in the package. */
export function entryModule(name: string): URL {
  return new URL(`./${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
}
