/**
 * Loaded before a command that a test stops or kills (`startHeld`): when the command has written `text` `times` times, it stands still
 * until the file `until` exists. So it cannot end before the test acts, however slow the machine is.
 */
import { existsSync } from 'node:fs';

export interface Hold {
  readonly text: string;
  readonly times: number;
  /** Without one it stands still until it is killed. */
  readonly until?: string;
}

const { NETSMITH_TEST_HOLD: given } = process.env;
// Not for the processes that the command starts.
delete process.env.NETSMITH_TEST_HOLD;
if (given !== undefined) {
  const { text, times, until } = JSON.parse(given) as Hold;
  const write = process.stderr.write.bind(process.stderr);
  let written = '';
  let held = false;
  process.stderr.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    const done = Reflect.apply(write, undefined, [chunk, ...rest]);
    written += chunk;
    if (!held && written.split(text).length > times) {
      held = true;
      const lock = new Int32Array(new SharedArrayBuffer(4));
      while (until === undefined || !existsSync(until)) Atomics.wait(lock, 0, 0, 10);
    }
    return done;
  };
}
