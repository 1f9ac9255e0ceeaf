import { messageOf } from '../common/errors.ts';
import { type Output, type Streams, safeStreams } from './output.ts';
import type { Screen } from './screen.ts';

/** Errors after the reader has closed: `| head -1` has read enough, or a terminal window was closed. */
const GONE: ReadonlySet<unknown> = new Set(['EPIPE', 'EIO', 'ECONNRESET', 'ERR_STREAM_DESTROYED']);

/**
 * The streams of this process. Text for a reader that is gone is dropped, and the command runs to its end: a search is not lost
 * with the terminal that it was started in. Any other error of standard output (a full disk) is printed, and `failed` is called.
 */
export function processStreams(failed: () => void): Streams {
  const err = writer(process.stderr, () => {});
  const out = writer(process.stdout, (error) => {
    err(`netsmith: cannot write to standard output; ${messageOf(error)}\n`);
    failed();
  });
  const terminal = isTerminal();
  return { out, err, terminal, ...(terminal && { screen: screenOf(process.stderr, err) }) };
}

/** How a program that is no command shows progress: on standard error, with a picture where that is a terminal. */
export function progressOutput(): Pick<Output, 'note' | 'quiet' | 'screen'> {
  const write = (text: string) => void process.stderr.write(text);
  const { err } = safeStreams({ out: write, err: write, terminal: false });
  return {
    note: (text) => err(`${text}\n`),
    quiet: false,
    screen: isTerminal() ? screenOf(process.stderr, write) : undefined,
  };
}

const isTerminal = () => process.stderr.isTTY === true && process.env.TERM !== 'dumb';

function writer(stream: NodeJS.WriteStream, onError: (error: Error) => void): (text: string) => void {
  let closed = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (closed) return;
    closed = true;
    if (!GONE.has(error.code)) onError(error);
  });
  return (text) => {
    if (!closed) stream.write(text);
  };
}

function screenOf(stream: NodeJS.WriteStream, write: (text: string) => void): Screen {
  return {
    isTTY: true,
    get columns() {
      return stream.columns;
    },
    get rows() {
      return stream.rows;
    },
    write(text) {
      write(text);
      return true;
    },
    onResize(listener) {
      stream.on('resize', listener);
      return () => void stream.off('resize', listener);
    },
  };
}
