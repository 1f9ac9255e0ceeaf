import { collapseOf } from '../oneshot/guards.ts';
import { showSeconds } from '../report/numbers.ts';
import type { Architecture } from '../space/index.ts';
import { headline, nameOfMetric } from '../study/objectives.ts';
import { supernetEpochsOf } from '../study/spec.ts';
import type { TrialState } from '../study/store/store.ts';
import { collapseText, supernetText } from '../terminal/supernet.ts';
import type { Guards } from '../train/checkpoint.ts';
import type { ReadStudy } from './study.ts';

/** The supernet of a study as `status --json` has it; null: it has none yet. */
export interface SupernetView {
  readonly state: TrialState;
  /** Trained so far, and in all. */
  readonly epochs: number;
  readonly of: number;
  readonly seconds: number;
  /** After each epoch, in order. */
  readonly curve: readonly {
    readonly step: number;
    readonly metrics: Readonly<Record<string, number>>;
    readonly mixture?: {
      readonly weights: Readonly<Record<string, readonly number[]>>;
      readonly edges?: Readonly<Record<string, readonly number[]>>;
      readonly stage?: number;
      readonly costs?: Readonly<Record<string, number>>;
      readonly genotype: Architecture;
    };
    /** Signs of known failures (docs/one-shot.md). */
    readonly guards?: Guards;
  }[];
  /** A collapse of the search, in words; null: there is no sign of one. */
  readonly collapse: string | null;
  readonly reason?: string;
}

export function supernetView({ supernet, settings }: ReadStudy): SupernetView | null {
  if (supernet === undefined) return null;
  const { state, seconds, curve, reason } = supernet;
  return {
    ...{ state, epochs: curve.at(-1)?.step ?? 0, of: supernetEpochsOf(settings), seconds },
    curve: curve.map(({ step, metrics, mixture, guards }) => ({
      ...{ step, metrics },
      ...(mixture && { mixture }),
      ...(guards && { guards }),
    })),
    collapse: collapseOf(curve) ?? null,
    ...(reason !== undefined && { reason }),
  };
}

/** `supernet: epoch 12 of 50, 3 min, accuracy 41.2 %, decided ▁▁▂▄ 62 %; ...`, and the reason where it failed. */
export function supernetLines(study: ReadStudy): readonly string[] {
  const { supernet, settings, space, problem, data } = study;
  const view = supernetView(study);
  if (supernet === undefined || view === null) return [];
  const { metric } = headline(problem.objectives, data);
  const parts = [
    `supernet: epoch ${view.epochs} of ${view.of}`,
    showSeconds(view.seconds),
    ...(view.reason === undefined ? [] : [`failed: ${view.reason}`]),
    supernetText(supernet, space, metric, nameOfMetric(settings, metric)),
  ];
  return [
    parts.filter((part) => part !== '').join(', '),
    ...(view.collapse === null ? [] : [collapseText(view.collapse)]),
  ];
}
