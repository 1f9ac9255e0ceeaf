// Lists what Netsmith brings along when it is installed: every package of package-lock.json that is not for development alone, with
// its license, whether it runs a script when it is installed, and its size here; then what `npm audit` advises, where it can be had.
// `npm run dependencies`; with `-- --write` it writes docs/dependencies.md, which test/dependencies.test.ts compares.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');

/** Licenses that ask for no more than a notice. */
const PERMISSIVE: ReadonlySet<string> = new Set([
  ...['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0', 'Unlicense', 'CC0-1.0'],
]);

/** Other licenses that are accepted, of which packages, and why. */
const ACCEPTED: readonly { readonly names: RegExp; readonly license: string; readonly why: string }[] = [
  {
    names: /^@img\/sharp-/,
    license: 'LGPL-3.0-or-later',
    why: 'libvips, a shared library that sharp loads unmodified and that can be replaced',
  },
  {
    names: /^elkjs$/,
    license: 'EPL-2.0',
    why: 'weak copyleft: it binds changes to elkjs itself, and Netsmith makes none',
  },
];

/** Packages that may run a script when they are installed, and what it does. */
export const INSTALL_SCRIPTS: Readonly<Record<string, string>> = {
  'onnxruntime-node': 'on 64-bit Linux fetches CUDA libraries, unless `onnxruntime-node-install=skip` (see the README)',
  protobufjs: 'makes an empty folder within itself, and may print a hint about version ranges',
};

export interface Dependency {
  readonly name: string;
  readonly version: string;
  /** SPDX, as the package says. */
  readonly license: string;
  readonly hasInstallScript: boolean;
  /** For some platforms alone. */
  readonly isOptional: boolean;
  /** Where it is, relative to the repository. */
  readonly path: string;
  /** package.json of Netsmith names it. */
  readonly isDirect: boolean;
}

interface Locked {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Everything that an installation may bring along, by name. */
export function dependencies(root = ROOT): readonly Dependency[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const packages: Readonly<Record<string, Locked>> = lock.packages;
  const direct = Object.keys(packages['']?.dependencies ?? {});
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path, { version = '', license = '', hasInstallScript = false, optional = false }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      const isDirect = path === `node_modules/${name}` && direct.includes(name);
      return { name, version, license, hasInstallScript, isOptional: optional, path, isDirect };
    })
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1));
}

/** Packages that are used where the user has installed them, with the versions that Netsmith was tested with. */
export function optionalPeers(root = ROOT): readonly Pick<Dependency, 'name' | 'version' | 'license'>[] {
  const { peerDependencies = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.keys(peerDependencies).map((name) => {
    const { version = '', license = '' }: Locked = lock.packages[`node_modules/${name}`] ?? {};
    return { name, version, license };
  });
}

/** Whether a package's license is permissive or accepted; of several joined by OR one is enough, by AND all are needed. */
export function isAllowed({ name, license }: Pick<Dependency, 'name' | 'license'>): boolean {
  const one = (id: string) =>
    PERMISSIVE.has(id) || ACCEPTED.some((exception) => exception.license === id && exception.names.test(name));
  const bare = license.replace(/^\((.*)\)$/, '$1');
  return bare.split(' OR ').some((choice) => choice.split(' AND ').every(one));
}

/** docs/dependencies.md: of the lock file alone, so that it is the same on every machine. */
export function dependenciesPage(all: readonly Dependency[] = dependencies()): string {
  const rows = all
    .filter(({ isDirect }) => isDirect)
    .map(({ name, version, license }) => `| ${name} | ${version} | ${license} |`);
  const counts = [...Map.groupBy(all, ({ license }) => license)].sort(
    (a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1),
  );
  const names = (of: readonly Dependency[]) => [...new Set(of.map(({ name }) => name))];
  const shown = (of: readonly string[]) => (of.length > 4 ? `${of.length} packages` : of.join(', '));
  const scripts = names(all.filter(({ hasInstallScript }) => hasInstallScript));
  return `# Dependencies

Written by \`npm run dependencies -- --write\`. Without \`--write\`, the script lists every package with its size, and the
result of \`npm audit\` if the registry supports it. \`test/dependencies.test.ts\` fails for a license that is not in this
list, and for another package that runs a script when it is installed.

Netsmith has ${rows.length} direct dependencies. Together with their own dependencies there are ${all.length} packages,
including the builds of sharp for all platforms, of which one installation has one or two.

| package | version | license |
|---|---|---|
${rows.join('\n')}

## Optional packages

The targets \`browser\` and \`browser-webgpu\` (docs/measure.md) need these, and nothing else does. They are not installed
with Netsmith (onnxruntime-web alone has 140 MB); a message says how to install them. Neither runs a script when it is
installed, and playwright-core brings no browser.

| package | version | license |
|---|---|---|
${optionalPeers()
  .map(({ name, version, license }) => `| ${name} | ${version} | ${license} |`)
  .join('\n')}

## Licenses

| license | packages |
|---|---|
${counts.map(([license, of]) => `| ${license} | ${of.length <= 4 ? names(of).join(', ') : of.length} |`).join('\n')}

Licenses that ask for more than a notice:

${ACCEPTED.map(({ names: pattern, license, why }) => `- ${license}: ${shown(names(all.filter(({ name }) => pattern.test(name) && !PERMISSIVE.has(license)).filter((one) => one.license.includes(license))))}. ${why[0]?.toUpperCase()}${why.slice(1)}.`).join('\n')}

## Scripts that run at installation

${scripts.map((name) => `- ${name}: ${INSTALL_SCRIPTS[name] ?? 'unknown'}.`).join('\n')}
`;
}

/** Bytes of a package's files, without those of packages inside it; undefined where it is not installed. */
function sizeOf(folder: string): number | undefined {
  if (!existsSync(folder)) return undefined;
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? sum : sum + (sizeOf(path) ?? 0);
    return sum + (entry.isFile() ? statSync(path).size : 0);
  }, 0);
}

/** What npm knows of holes in them, in a sentence. */
function audit(): string {
  const { stdout, error } = spawnSync('npm', ['audit', '--json', '--omit=dev'], {
    cwd: ROOT,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  let found: {
    readonly metadata?: { readonly vulnerabilities?: Readonly<Record<string, number>> };
    readonly message?: string;
  };
  try {
    found = JSON.parse(stdout);
  } catch {
    found = { message: error?.message ?? 'npm gave no answer' };
  }
  const counts = found.metadata?.vulnerabilities;
  if (counts === undefined)
    return `npm audit could not be had here: ${found.message ?? 'the registry does not answer'}`;
  const { total = 0, ...by } = counts;
  if (total === 0) return 'npm audit knows of no vulnerability.';
  const kinds = Object.entries(by).flatMap(([severity, count]) => (count > 0 ? [`${count} ${severity}`] : []));
  return `npm audit knows of ${total} vulnerable packages (${kinds.join(', ')}); run npm audit --omit=dev.`;
}

function list(): void {
  const all = dependencies();
  let total = 0;
  for (const one of all) {
    const size = sizeOf(join(ROOT, one.path));
    if (size === undefined && one.isOptional) continue;
    total += size ?? 0;
    const marks = [
      ...(size === undefined ? ['not installed'] : [`${(size / 2 ** 20).toFixed(2).padStart(7)} MiB`]),
      ...(one.hasInstallScript ? ['INSTALL SCRIPT'] : []),
      ...(isAllowed(one) ? [] : ['LICENSE NOT ALLOWED']),
    ];
    console.log(`${one.name.padEnd(34)} ${one.version.padEnd(9)} ${one.license.padEnd(28)} ${marks.join('  ')}`);
  }
  console.log(
    `\n${all.length} packages, builds for other platforms among them; ${(total / 2 ** 20).toFixed(0)} MiB are installed here.`,
  );
  console.log(audit());
  if (!all.every(isAllowed) || all.some(({ name, hasInstallScript }) => hasInstallScript && !(name in INSTALL_SCRIPTS)))
    process.exitCode = 1;
}

if (import.meta.main) {
  if (process.argv.includes('--write')) writeFileSync(join(ROOT, 'docs', 'dependencies.md'), dependenciesPage());
  else list();
}
