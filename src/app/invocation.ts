import { basename, relative, sep } from 'node:path';
import { quoted, shellWord } from './command-line.ts';

/** What tells how this program was called. */
export interface Invocation {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The path of the script that runs, `process.argv[1]`. */
  readonly script: string;
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
}

function ofProcess(): Invocation {
  return { env: process.env, script: process.argv[1] ?? '', cwd: process.cwd(), platform: process.platform };
}

/** The command that starts this program again from the same folder: `netsmith`, `npx netsmith`, `node bin/netsmith.js`. */
export function commandName({ env, script, cwd, platform }: Invocation = ofProcess()): string {
  // npm, pnpm, yarn and bun name themselves to the programs that they run, in `npx netsmith` and in `npm start` alike.
  if (env.npm_command !== undefined || env.npm_lifecycle_event !== undefined || env.npm_execpath !== undefined) {
    const [manager] = (env.npm_config_user_agent ?? '').split('/');
    return { pnpm: 'pnpm exec netsmith', yarn: 'yarn netsmith', bun: 'bunx netsmith' }[manager ?? ''] ?? 'npx netsmith';
  }
  const path = relative(cwd, script);
  const isBelow = path !== '' && !path.startsWith('..') && path !== script;
  // Installed into this folder but not on the PATH; anything else in node_modules is what a global `netsmith` leads to.
  if (script.split(sep).includes('node_modules')) return isBelow ? 'npx netsmith' : 'netsmith';
  if (basename(script) !== 'netsmith.js') return 'netsmith';
  return `node ${quoted(isBelow ? path : script, platform)}`;
}

/** A command line to be copied: `npx netsmith resume 'runs/my study'`. */
export function hint(...words: readonly string[]): string {
  return [commandName(), ...words.map(shellWord)].join(' ');
}
