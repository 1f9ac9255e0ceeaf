import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { messageOf } from '../common/errors.ts';
import type { Output } from './output.ts';

/** The option of commands that write an HTML file. */
export const OPEN = ['--open', 'open the HTML file in the browser', false] as const;

/** A program that still runs after this time has started well; some end only with the browser. */
const PATIENCE_MS = 5_000;

/** Opens a file with the program that the system has for it. Where that fails, a note says so: the file has been written anyway. */
export async function openFile(file: string, output: Output): Promise<void> {
  const [command, ...args] = openerOf(process.platform, resolve(file));
  try {
    await started(spawn(command, args, { stdio: 'ignore', detached: true, windowsVerbatimArguments: false }));
  } catch (error) {
    output.note(`${file} could not be opened (${messageOf(error)}); open it in a browser.`);
  }
}

/** The program that opens a file by its kind, with its arguments. */
export function openerOf(platform: NodeJS.Platform, path: string): readonly [string, ...string[]] {
  if (platform === 'darwin') return ['open', path];
  // Not through cmd.exe, which would read & and % in a path.
  if (platform === 'win32') return ['rundll32.exe', 'url.dll,FileProtocolHandler', path];
  return ['xdg-open', path];
}

function started(child: ChildProcess): Promise<void> {
  return new Promise((done, failed) => {
    const timer = setTimeout(() => {
      child.unref();
      done();
    }, PATIENCE_MS);
    child.once('error', (error) => {
      clearTimeout(timer);
      failed(error);
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      if (code === 0) done();
      else failed(new Error(`${child.spawnfile} ended with code ${code}`));
    });
  });
}
