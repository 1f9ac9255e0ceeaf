import type { ReportData } from '../data.ts';
import { mixtureFigure } from '../figures/mixture.ts';
import { html } from '../markup.ts';
import { showMetric, showSeconds } from '../numbers.ts';
import { figure, type Section } from '../page.ts';
import { factTable } from '../table.ts';
import { capital, headlineOf } from './values.ts';

/** How the supernet of a one-shot search was trained; undefined: the study has none. */
export function supernetSection(data: ReportData): Section | undefined {
  const { supernet } = data;
  if (supernet === undefined) return undefined;
  const { method, epochs, of, seconds, curve, options, genotype, collapse, reason } = supernet;
  const { metric } = headlineOf(data);
  const mixtures = curve.flatMap(({ epoch, weights }) => (weights === undefined ? [] : [{ epoch, weights }]));
  const last = curve.at(-1)?.metrics[metric];
  const drawn = mixtures.length > 1 ? mixtureFigure(mixtures, options) : undefined;
  return {
    id: 'supernet',
    title: 'Supernet',
    body: html`${figure(drawn, 'Share of each option in its choice, by epoch; the darkest of a choice is taken.')}${factTable(
      `The supernet was trained by ${method}.`,
      [
        ['Epochs', `${epochs} of ${of}`],
        ['Time', showSeconds(seconds)],
        ...(last === undefined ? [] : [[`${capital(metric)} (validation)`, showMetric(metric, last)] as const]),
        ...(genotype === undefined ? [] : [['Architecture', genotype] as const]),
        ...(collapse === undefined
          ? []
          : [['Collapse', `${capital(collapse)}. What is derived is then often poor.`] as const]),
        ...(reason === undefined ? [] : [['Failed', reason] as const]),
      ],
    )}`,
  };
}
