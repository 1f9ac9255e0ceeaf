/** What `netsmith measure` prints: a table, and under it what it assumes. */
import type { Json } from '../../common/json.ts';
import { CO2_PER_KWH, PRICE_PER_KWH, WATTS } from '../../device/energy.ts';
import { showLatency } from '../../device/measure.ts';
import { showBytes, showLarge, showMetric } from '../../report/numbers.ts';
import { table } from '../../terminal/output.ts';
import { COSTS, type MeasuredNetwork, type Measurement, type MeasureRequest } from './measure.ts';

/** What was asked for. */
export type Asked = Pick<MeasureRequest, 'devices' | 'watts' | 'tariff' | 'cost' | 'lambda'>;

/** The stable form: `{ devices, batch, threads, watts?, pricePerKwh, co2PerKwh, cost, lambda?, networks }`. */
export function measurementToJson(
  { devices, networks }: Measurement,
  { devices: [first], watts, tariff, cost, lambda }: Asked,
): Json {
  const { batch, threads } = first ?? {};
  return JSON.parse(JSON.stringify({ devices, batch, threads, watts, ...tariff, cost, lambda, networks }));
}

/** Money and CO2 are given for this many samples, because those of one sample are too small to read. */
const MILLION = 1e6;

/** A column is absent where no network has a value for it. */
export function measuredText({ devices, networks }: Measurement, asked: Asked): string {
  const taken = (show: (of: NonNullable<MeasuredNetwork['taken']>) => string) => (row: MeasuredNetwork) =>
    row.taken && show(row.taken);
  const columns: Readonly<Record<string, (row: MeasuredNetwork) => string | undefined>> = {
    network: ({ name }) => name,
    ...(Object.keys(devices).length > 1 && { target: ({ target }: MeasuredNetwork) => target }),
    score: ({ score }) => (score === undefined ? undefined : score.toFixed(4)),
    [valueName(networks)]: ({ value }) =>
      value && `${showMetric(value.metric, value.value)}${value.on === 'test' ? '' : ' (valid.)'}`,
    latency: ({ taken, error }) => (error === undefined ? taken && showLatency(taken.latency) : 'failed'),
    'samples/s': taken(({ samplesPerSecond }) => showLarge(Math.round(samplesPerSecond))),
    params: ({ params }) => showLarge(params),
    FLOPs: ({ flops }) => (flops === undefined ? undefined : showLarge(flops)),
    file: ({ fileBytes }) => showBytes(fileBytes),
    memory: taken(({ latency: { peakBytes } }) => (peakBytes === undefined ? '' : showBytes(peakBytes))),
    'mJ/sample': taken(({ joules }) => short(joules * 1000)),
    'money/M': taken(({ money }) => short(money * MILLION)),
    'g CO2/M': taken(({ co2Grams }) => short(co2Grams * MILLION)),
  };
  const kept = Object.entries(columns).filter(([, show]) => networks.some((row) => show(row)));
  const rows = networks.map((row) => kept.map(([, show]) => show(row) || '–'));
  return [
    table(
      kept.map(([name]) => name),
      rows,
    ),
    ...notes({ devices, networks }, asked),
  ].join('\n');
}

const short = (value: number) => String(Number(value.toPrecision(3)));

/** `accuracy`, where that is what all values are. */
function valueName(networks: readonly MeasuredNetwork[]): string {
  const names = new Set(networks.flatMap(({ value }) => value?.metric ?? []));
  return names.size === 1 ? ([...names][0] ?? 'value') : 'value';
}

function notes(
  { devices, networks }: Measurement,
  { devices: [first], watts, tariff, cost, lambda }: Asked,
): readonly string[] {
  const batch = first?.batch ?? 1;
  const from = new Set(networks.flatMap(({ taken }) => taken?.wattsFrom ?? []));
  const assumption = watts === undefined ? `${WATTS} W, an assumption (--watts)` : `${watts} W (--watts)`;
  const [price, grams] = [isUsual(tariff.pricePerKwh, PRICE_PER_KWH), isUsual(tariff.co2PerKwh, CO2_PER_KWH)];
  const failed = networks.flatMap(({ name, target, error }) =>
    error === undefined ? [] : [`${name} on ${target}: ${error}`],
  );
  return [
    ...Object.entries(devices).map(([target, device]) => `${target}: ${device}.`),
    `Latency: of a run${batch === 1 ? '' : ` of ${batch} samples`}, its 95 % interval in parentheses. Memory: peak of the process that runs the network.`,
    ...(from.has('counters') ? ["Energy: by the processor's counters (RAPL), whatever else runs included."] : []),
    ...(from.has('stated') ? [`Energy: time x ${assumption} of each busy core, or of another device as a whole.`] : []),
    `Money and CO2: for a million samples, at ${tariff.pricePerKwh}${price} for a kWh and ${tariff.co2PerKwh} g${grams}.`,
    ...(lambda === undefined ? [] : [`Score: V - ${lambda} C, C being ${COSTS[cost]}.`]),
    ...(networks.some(({ untrained, kind }) => untrained && kind === 'study')
      ? ['A study that is not exported is timed with random weights: netsmith export.']
      : []),
    ...failed,
  ];
}

const isUsual = (value: number, usual: number) => (value === usual ? ' (an assumption)' : '');
