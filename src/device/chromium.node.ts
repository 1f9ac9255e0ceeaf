/** The Chromium of this machine, driven by playwright-core, which brings no browser of its own. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import type { Browser } from 'playwright-core';
import { invalid, messageOf, type UserError } from '../common/errors.ts';
import { packageJson } from '../common/package-files.node.ts';
import { printable } from '../common/text.ts';

/** Names on the PATH, and where installers put it. */
const NAMES = [
  ...['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'microsoft-edge'],
];
const MAC = ['Google Chrome', 'Chromium', 'Microsoft Edge'].map(
  (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
);
const WINDOWS = ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].flatMap((variable) =>
  ['Google\\Chrome', 'Chromium', 'Microsoft\\Edge'].map((name) =>
    join(process.env[variable] ?? '', name, 'Application', name.endsWith('Edge') ? 'msedge.exe' : 'chrome.exe'),
  ),
);

/** Names the browser where no option does. */
const VARIABLE = 'NETSMITH_BROWSER';
const RULE = `install Chromium or Chrome, or say where it is: --browser PATH, or the environment variable ${VARIABLE}`;

/** The executable of a browser: the one that is given, that of the environment, or one at the usual places. Throws UserError where there is none. */
export function findChromium(given: string | undefined, place: string): string {
  const named = process.env[VARIABLE];
  if (given !== undefined) return checked(given, '--browser');
  if (named !== undefined && named !== '') return checked(named, VARIABLE);
  const found = usualPlaces().find(isExecutable);
  if (found === undefined) throw invalid(place, 'there is no Chromium or Chrome at the usual places', RULE);
  return found;
}

function usualPlaces(): readonly string[] {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  if (process.platform === 'win32') return WINDOWS;
  const onPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return process.platform === 'darwin' ? [...MAC, ...onPath] : onPath;
}

function checked(path: string, place: string): string {
  if (!isExecutable(path)) throw invalid(place, `"${path}"`, 'must be the executable of Chromium or Chrome');
  return path;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The packages that the browser targets need, and nothing else does. */
const NEEDED = ['playwright-core', 'onnxruntime-web'] as const;

/** The folder of the modules of onnxruntime-web, and its version. Throws UserError where a package is not installed. */
export function findRuntime(place: string): { readonly folder: string; readonly version: string } {
  const require = createRequire(import.meta.url);
  const missing = NEEDED.filter((name) => !isInstalled(require, name));
  if (missing.length > 0) {
    const wanted: { readonly peerDependencies: Readonly<Record<string, string>> } = JSON.parse(
      readFileSync(packageJson(), 'utf8'),
    );
    const packages = NEEDED.map((name) => `${name}@${wanted.peerDependencies[name]}`).join(' ');
    const are = missing.length === 1 ? 'is' : 'are';
    throw invalid(
      place,
      `${missing.join(' and ')} ${are} not installed`,
      `the target needs them: npm install ${packages}`,
    );
  }
  const folder = dirname(require.resolve('onnxruntime-web'));
  const { version } = JSON.parse(readFileSync(join(folder, '..', 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  return { folder, version };
}

function isInstalled(require: NodeJS.Require, name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** Whether the environment has Vulkan in software (scripts/software-vulkan.sh), which Chromium takes only where it is told to. */
const isSoftwareVulkan = () => /swiftshader/i.test(process.env.VK_ICD_FILENAMES ?? '');

/** Milliseconds for a browser to close itself before it is killed. */
const CLOSING = 3000;

export interface Chromium {
  readonly browser: Browser;
  /** Peak memory of the process of the page, where it can be read; that of the largest where there are several. */
  peakBytes(): Promise<number | undefined>;
  /** Ends the browser, also where it hangs. */
  end(): Promise<void>;
}

/** Starts a browser without a window, whose only network is this machine. Throws UserError where it does not start within `patience` seconds. */
export async function startChromium(
  executable: string,
  gpu: boolean,
  patience: number,
  place: string,
): Promise<Chromium> {
  const { chromium } = await import('playwright-core');
  const browser = await chromium
    .launch({
      executablePath: executable,
      args: [
        // Our page, our code, no network: without a sandbox it runs as root and in containers, too.
        '--no-sandbox',
        '--disable-dev-shm-usage',
        '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
        ...(gpu ? ['--enable-unsafe-webgpu', '--enable-features=Vulkan', '--ignore-gpu-blocklist'] : ['--disable-gpu']),
        ...(gpu && isSoftwareVulkan() ? ['--use-webgpu-adapter=swiftshader'] : []),
      ],
      timeout: patience * 1000,
      // The command decides what Ctrl-C does.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    })
    .catch((error: unknown) => {
      throw notStarted(executable, place, messageOf(error));
    });
  /** Type and number of each process of the browser; none where it has ended. */
  const processes = async () => {
    const session = await browser.newBrowserCDPSession().catch(() => undefined);
    const info = await session?.send('SystemInfo.getProcessInfo').catch(() => undefined);
    return info?.processInfo ?? [];
  };
  const main = (await processes()).find(({ type }) => type === 'browser')?.id;
  return {
    browser,
    async peakBytes() {
      const peaks = (await processes()).filter(({ type }) => type === 'renderer').map(({ id }) => peakOf(id));
      const known = peaks.filter((peak) => peak !== undefined);
      return known.length === 0 ? undefined : Math.max(...known);
    },
    async end() {
      if (!browser.isConnected()) return;
      const clock = setTimeout(() => {
        try {
          if (main !== undefined) process.kill(main, 'SIGKILL');
        } catch {
          // It has ended.
        }
      }, CLOSING);
      await browser.close().catch(() => {});
      clearTimeout(clock);
    },
  };
}

/** Linux's `VmHWM` of a process. */
function peakOf(pid: number): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

/** The first line is what happened; the browser's own words follow in a log. */
function notStarted(executable: string, place: string, message: string): UserError {
  const [first = '', ...log] = message.split('\n');
  const said = log.map((line) => /\[err\] (.*)$/.exec(line)?.[1]).find((line) => line !== undefined);
  const what = said === undefined ? first : `${first} ${said}`;
  return invalid(
    place,
    `"${executable}" does not start: ${printable(what.trim())}`,
    'must be a Chromium that runs here',
  );
}
