import type { DatasetInfo } from '../../data/dataset.ts';
import { factsOf } from '../../task/index.ts';
import type { ReportData } from '../data.ts';
import { html, type Markup } from '../markup.ts';
import { showCount } from '../numbers.ts';
import type { Section } from '../page.ts';
import type { TestSample, TestSamples } from '../samples.ts';
import { dataTable, type Row } from '../table.ts';

/** Predictions of the found network for some test samples. */
export function samplesSection({ test, data }: ReportData): Section | undefined {
  const samples = test?.samples;
  if (samples === undefined || samples.shown.length === 0) return undefined;
  const pictures = samples.shown.every(({ image }) => image !== undefined);
  return {
    id: 'samples',
    title: 'Sample predictions',
    body: pictures ? strip(samples, data) : rows(samples, data),
  };
}

const which = (data: DatasetInfo) =>
  factsOf(data).classes ? 'the most confident mistakes first' : 'the largest errors first';

function strip({ shown, of }: TestSamples, data: DatasetInfo): Markup {
  const small = Math.max(...data.input.slice(1)) <= 64;
  return html`<p class="meta">${shown.length} of ${showCount(of)} test images, ${which(data)}; they are stored in this file (<code>evaluate --no-samples</code> leaves them out).</p><ul class="samples">${shown.map((sample) => html`<li><img${small ? html` class="pixels"` : undefined} alt="${altOf(sample, data)}" src="${sample.image ?? ''}">${said(sample, data)}</li>`)}</ul>`;
}

function said(sample: TestSample, { labels }: DatasetInfo): Markup {
  if ('truths' in sample)
    return html`<p>${labels.map((label, i) => html`${label}: ${number(sample.values[i])}, true ${number(sample.truths[i])} `)}</p>`;
  const { truth, predicted, confidence } = sample;
  const sure = `${(100 * confidence).toFixed(0)} %`;
  return truth === predicted
    ? html`<p><span class="right">✓</span> ${labels[predicted] ?? predicted} (${sure})</p>`
    : html`<p><span class="wrong">✗</span> ${labels[predicted] ?? predicted} (${sure})<br>true: <strong>${labels[truth] ?? truth}</strong></p>`;
}

function altOf(sample: TestSample, { labels }: DatasetInfo): string {
  if ('truths' in sample) return `Test image with the true values ${sample.truths.map(number).join(', ')}`;
  return `Test image of class ${labels[sample.truth] ?? sample.truth}`;
}

function rows({ shown, of, columns = [] }: TestSamples, data: DatasetInfo): Markup {
  const { labels } = data;
  const heads = factsOf(data).classes
    ? ['True class', 'Predicted', 'Confidence']
    : labels.flatMap((label) => [`True ${label}`, 'Predicted', 'Error']);
  const features = data.encoding?.columns.length ?? columns.length;
  const some = features > columns.length ? `, the first ${columns.length} of ${features} columns` : '';
  return dataTable({
    caption: `${shown.length} of ${showCount(of)} test rows, ${which(data)}${some}; they are stored in this file (evaluate --no-samples leaves them out).`,
    columns: [
      { head: 'Row' },
      ...heads.map(
        (head) => ({ head, kind: factsOf(data).classes && head !== 'Confidence' ? 'text' : 'number' }) as const,
      ),
      ...columns.map((head) => ({ head, kind: 'text' }) as const),
    ],
    rows: shown.map(
      (sample, i): Row => ({ cells: [String(i + 1), ...answer(sample, labels), ...(sample.cells ?? [])] }),
    ),
  });
}

function answer(sample: TestSample, labels: readonly string[]): (string | Markup)[] {
  if ('truths' in sample)
    return sample.truths.flatMap((truth, i) => {
      const value = sample.values[i] ?? Number.NaN;
      return [number(truth), number(value), number(value - truth)];
    });
  const { truth, predicted, confidence } = sample;
  const right = truth === predicted;
  return [
    labels[truth] ?? String(truth),
    html`<span class="${right ? 'right' : 'wrong'}">${right ? '✓' : '✗'}</span> ${labels[predicted] ?? predicted}`,
    `${(100 * confidence).toFixed(0)} %`,
  ];
}

function number(value: number | undefined): string {
  if (value === undefined) return '–';
  const text =
    Math.abs(value) >= 1000 && Math.abs(value) < 1e15 ? showCount(value) : String(Number(value.toPrecision(4)));
  return text.replace('-', '−');
}
