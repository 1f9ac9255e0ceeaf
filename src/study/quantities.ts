/** Durations, sizes, limits and targets as settings write them, and what they stand for. */
import { COST_METRICS, DEVICE_METRICS, METRICS, type Objective } from '../common/metrics.ts';
import { parseNumber } from '../common/numbers.ts';
import type { Target } from './budget.ts';

/** Names that one study alone has: the scores of a function, and measures and metrics of the user's own. */
export interface OwnNames {
  readonly scores?: Readonly<Record<string, Objective['direction']>> | undefined;
  readonly measures?: Readonly<Record<string, Pick<Objective, 'direction' | 'unit'>>> | undefined;
  readonly metrics?: Readonly<Record<string, Pick<Objective, 'direction' | 'unit'>>> | undefined;
}

/** More is a slip: eleven years. */
const MOST_SECONDS = 100_000 * 3600;
/** Likewise: an hour. */
const MOST_MILLISECONDS = 3_600_000;
/** Likewise: more than any machine has. */
const MOST_BYTES = 1e15;

/** Seconds of `90s`, `10m`, `2h` or a bare number of seconds; undefined when it is none of these, not above 0, or above 100,000 h. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(s|m|h)?$/.exec(text.trim());
  if (match === null) return undefined;
  const seconds = Number(match[1]) * { s: 1, m: 60, h: 3600 }[(match[2] ?? 's') as 's' | 'm' | 'h'];
  return seconds > 0 && seconds <= MOST_SECONDS ? seconds : undefined;
}

/** Milliseconds of `5ms`, `800us` or `0.2s`; undefined where it is none of these, not above 0, or above an hour. */
export function parseMilliseconds(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(us|ms|s)$/.exec(text.trim());
  if (match === null) return undefined;
  const milliseconds = Number(match[1]) * { us: 1e-3, ms: 1, s: 1000 }[match[2] as 'us' | 'ms' | 's'];
  return milliseconds > 0 && milliseconds <= MOST_MILLISECONDS ? milliseconds : undefined;
}

/** The number of a limit on a measure, of Netsmith's at least 0; undefined where the name or the value is none. */
export function limitValue(name: string, value: unknown, own: OwnNames['measures'] = {}): number | undefined {
  if (Object.hasOwn(own, name)) return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  if (!Object.hasOwn(COST_METRICS, name)) return undefined;
  const inBytes = METRICS[name as keyof typeof COST_METRICS].unit === 'bytes';
  const found = typeof value === 'string' && inBytes ? parseBytes(value) : value;
  return typeof found === 'number' && found >= 0 ? found : undefined;
}

/** Bytes of `100KB`, `512MB`, `1.5GiB`; undefined when it is neither, 0, or above 1,000,000 GB. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(KB|MB|GB|KiB|MiB|GiB)$/i.exec(text.trim());
  if (match === null) return undefined;
  const units = { kb: 1e3, kib: 2 ** 10, mb: 1e6, gb: 1e9, mib: 2 ** 20, gib: 2 ** 30 } as const;
  const bytes = Number(match[1]) * units[(match[2] ?? '').toLowerCase() as keyof typeof units];
  return bytes > 0 && bytes <= MOST_BYTES ? bytes : undefined;
}

function isMetric(name: string): name is keyof typeof METRICS {
  return Object.hasOwn(METRICS, name);
}

/** `accuracy=0.97`; undefined when it is not of this form or names no metric. */
export function parseTarget(
  text: string,
  { scores = {}, measures = {}, metrics = {} }: OwnNames = {},
): Target | undefined {
  const match = /^(\w+)=(.+)$/.exec(text.trim());
  const [metric, value] = [match?.[1], parseNumber(match?.[2] ?? '')];
  if (metric === undefined || value === undefined) return undefined;
  const own = (of: object) => Object.hasOwn(of, metric);
  const described = own(measures) ? measures[metric] : own(metrics) ? metrics[metric] : undefined;
  const direction = described?.direction ?? (own(scores) ? scores[metric] : undefined);
  if (direction !== undefined) return { metric, value, direction };
  if (Object.hasOwn(DEVICE_METRICS, metric)) return { metric, value, direction: DEVICE_METRICS.latency.direction };
  if (!isMetric(metric)) return undefined;
  return METRICS[metric].unit === 'share' && value > 1 ? undefined : { metric, value };
}
