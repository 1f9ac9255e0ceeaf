import { showSeconds } from '../report/numbers.ts';
import type { RunTime } from '../study/plan.ts';
import type { Output } from './output.ts';
import type { Row } from './screen.ts';

/** What a command with a time plan is doing. */
export type Phase = 'search' | 'final training';

/** The output of a command whose live views show, below everything else, where its time plan is. `elapsed`: seconds of the command so far. */
export function withPlan(output: Output, time: RunTime | undefined, phase: Phase, elapsed: () => number): Output {
  return time === undefined ? output : { ...output, footer: () => planRow(time, phase, elapsed()) };
}

/** `12.0 s of 1 min 0 s; search until 18.5 s, final training until 54.0 s` */
function planRow({ seconds, searchUntil, baselineSeconds, closingSeconds }: RunTime, phase: Phase, at: number): Row {
  const trainedBy = seconds - baselineSeconds - closingSeconds;
  const steps = [
    ...(phase === 'search' ? [['search', searchUntil] as const] : []),
    ['final training', trainedBy] as const,
  ];
  const text = steps.map(([name, until]) => `${name} until ${showSeconds(until)}`).join(', ');
  return { name: 'run', share: at / seconds, text: `${showSeconds(at)} of ${showSeconds(seconds)}; ${text}` };
}
