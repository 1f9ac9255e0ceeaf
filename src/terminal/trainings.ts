import type { Output } from './output.ts';
import { drawRows, type Now, openLive, roughly, secondsLeftOf, timeText } from './screen.ts';

/** The progress of final trainings: a bar for each in a terminal, otherwise a line from time to time. */
export interface TrainingsView {
  /**
   * How far a training is, from 0 to `epochs` (undefined: not known yet); `epoch` may be in the middle of one. `last`: what to say of the
   * last.
   */
  onProgress(name: string, epoch: number, epochs: number | undefined, last?: string): void;
  /** A training has ended; the line stays. */
  ended(name: string, line: string): void;
  say(text: string): void;
  close(): void;
}

/** Without a terminal, the progress of a long training is printed at most this often. */
const LINE_MS = 30_000;

interface Running {
  readonly began: number;
  readonly epoch: number;
  readonly epochs: number | undefined;
  readonly last: string;
}

const shareOf = ({ epoch, epochs }: Running) => (epochs === undefined ? 0 : epoch / epochs);

const textOf = ({ epoch, epochs, last }: Running) =>
  `epoch ${Math.floor(epoch)}${epochs === undefined ? '' : ` of ${epochs}`}${last === '' ? '' : `  ${last}`}`;

/** `count`: how many trainings there are. */
export function createTrainingsView(
  heading: string,
  count: number,
  { note, quiet, screen, footer }: Pick<Output, 'note' | 'quiet' | 'screen' | 'footer'>,
  now: Now = () => performance.now(),
): TrainingsView {
  const began = now();
  const running = new Map<string, Running>();
  let done = 0;
  const share = () => {
    const begun = [...running.values()].reduce((sum, one) => sum + shareOf(one), 0);
    return Math.min(1, (done + begun) / count);
  };
  const follow = (name: string, epoch: number, epochs: number | undefined, last = '') =>
    running.set(name, { began: running.get(name)?.began ?? now(), epoch, epochs, last });
  const end = (name: string) => {
    running.delete(name);
    done++;
  };
  if (quiet || screen === undefined) {
    let told = began;
    return {
      onProgress(name, epoch, epochs, last) {
        follow(name, epoch, epochs, last);
        const { began: since = 0 } = running.get(name) ?? {};
        if (epochs === undefined || now() - told < LINE_MS || !Number.isInteger(epoch)) return;
        if (epoch === 0 || epoch >= epochs) return;
        told = now();
        const left = secondsLeftOf(epoch / epochs, (told - since) / 1000);
        note(`${name}: epoch ${epoch} of ${epochs}${left === undefined ? '' : `, about ${roughly(left)} left`}`);
      },
      ended(name, line) {
        end(name);
        note(line);
      },
      say: note,
      close: () => {},
    };
  }
  const picture = (columns: number) => {
    const elapsed = (now() - began) / 1000;
    const total = {
      name: 'total',
      share: share(),
      text: `${count === 1 ? '' : `${done} of ${count}, `}${timeText(elapsed, secondsLeftOf(share(), elapsed))}`,
    };
    const each = [...running].map(([name, one]) => ({ name, share: shareOf(one), text: textOf(one) }));
    return drawRows(heading, [total, ...each, ...(footer ? [footer()] : [])], columns);
  };
  const live = openLive(screen, picture, now);
  return {
    onProgress(name, epoch, epochs, last) {
      follow(name, epoch, epochs, last);
      live.changed();
    },
    ended(name, line) {
      end(name);
      live.say(line);
    },
    say: live.say,
    close: live.close,
  };
}
