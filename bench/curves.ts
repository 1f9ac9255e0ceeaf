/**
 * Forecasts of learning curves: the value of the moment, the parametric ensemble, and the regression learned from ended curves.
 * docs/predictors.md says how to read it.
 *
 *     npm run -s bench:curves -- --study FOLDER [--study FOLDER ...] [--ended 10] [--json] [--save]
 *
 * The studies' trials were trained to the end (`--strategy random`). Each trial after the first ones, in the order in which they ran, is
 * forecast at a quarter, a half and three quarters of its epochs from those before it. The first two are moved by the mean error that
 * they have on those, as the stopping rule does.
 */
import { readStudy } from '../src/app/study.ts';
import { kendall } from '../src/common/correlation.ts';
import { largest, smallest } from '../src/common/extremes.ts';
import { forecastFrom } from '../src/model/learned-curve.ts';
import { type CurvePoint, forecastCurve } from '../src/model/learning-curve.ts';
import { circumstances, saveResult } from './engine/results.ts';
import { markdown } from './engine/tables.ts';
import { parseFlags } from './support/flags.ts';

const flags = parseFlags({
  study: { type: 'string', multiple: true, default: [] },
  ended: { type: 'string', default: '10' },
  json: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
});
const say = (line: string) => process.stderr.write(`${line}\n`);
const ended = Number(flags.ended);
if (flags.study.length === 0 || !(Number.isInteger(ended) && ended >= 3)) {
  say('--study FOLDER is needed, and --ended must be a whole number from 3');
  process.exit(2);
}
const SHARES = [0.25, 0.5, 0.75];
type Curve = readonly CurvePoint[];
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value / values.length, 0);
const finalOf = (curve: Curve) => curve.at(-1)?.value ?? Number.NaN;

/** Larger is better. */
async function curvesOf(folder: string): Promise<{ metric: string; curves: Curve[] }> {
  const { trials, problem } = await readStudy(folder);
  const [objective] = problem.objectives;
  const sign = objective.direction === 'maximize' ? 1 : -1;
  const complete = trials.filter(({ state, purpose }) => state === 'complete' && purpose === 'search');
  const curves = complete.map(({ curve }) =>
    curve.map(({ step, metrics }) => ({ step, value: sign * (metrics[objective.metric] ?? Number.NaN) })),
  );
  const epochs = largest(curves.map((curve) => curve.at(-1)?.step ?? 0));
  return { metric: objective.metric, curves: curves.filter((curve) => curve.at(-1)?.step === epochs) };
}

type Forecast = (curve: Curve, before: readonly Curve[], step: number, epochs: number) => number;
/** The same, moved by its mean error on the curves before. */
const corrected =
  (forecast: (curve: Curve, step: number, epochs: number, spread: number) => number): Forecast =>
  (curve, before, step, epochs) => {
    const values = before.flatMap((one) => one.map(({ value }) => value));
    const spread = largest(values) - smallest(values);
    const errors = before.slice(-20).map((one) => finalOf(one) - forecast(one, step, epochs, spread));
    return forecast(curve, step, epochs, spread) + mean(errors);
  };
const upTo = (curve: Curve, step: number) => curve.filter((point) => point.step <= step);
const MODELS: Readonly<Record<string, Forecast>> = {
  'value of the moment': corrected((curve, step) => finalOf(upTo(curve, step))),
  parametric: corrected((curve, step, epochs, spread) => forecastCurve(upTo(curve, step), epochs, spread).mean),
  learned: (curve, before, step) => forecastFrom(upTo(curve, step), before).mean,
};

const when = circumstances(1);
const rows: {
  study: string;
  metric: string;
  share: number;
  model: string;
  curves: number;
  rms: number;
  tau: number;
}[] = [];
for (const folder of flags.study) {
  const { metric, curves } = await curvesOf(folder);
  const epochs = curves[0]?.at(-1)?.step ?? 0;
  for (const share of SHARES) {
    const step = Math.max(2, Math.round(share * epochs));
    for (const [model, forecast] of Object.entries(MODELS)) {
      const later = curves.slice(ended);
      const found = later.map((curve, i) => forecast(curve, curves.slice(0, ended + i), step, epochs));
      const truth = later.map(finalOf);
      const rms = Math.sqrt(mean(found.map((value, i) => (value - (truth[i] ?? Number.NaN)) ** 2)));
      rows.push({ study: folder, metric, share, model, curves: later.length, rms, tau: kendall(found, truth) });
    }
  }
}
const lines = rows.map(({ study, metric, share, model, curves, rms, tau }) => [
  study.split('/').at(-1) ?? '',
  metric,
  `${100 * share} %`,
  model,
  String(curves),
  rms.toPrecision(3),
  tau.toFixed(2),
]);
const heads = ['study', 'metric', 'epochs seen', 'forecast', 'curves', 'root of the mean squared error', 'Kendall'];
process.stdout.write(flags.json ? `${JSON.stringify(rows, undefined, 1)}\n` : `${markdown(heads, lines)}\n`);
if (flags.save) say(`saved: ${saveResult('curves', when, { ended, rows })}`);
