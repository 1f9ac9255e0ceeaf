/** Puts networks side by side on devices: what each gives, and what each takes. */
import { invalid, messageOf, StudyStopped } from '../../common/errors.ts';
import { busyThings, type Charges, chargesOf, joulesOf, type Tariff, WATTS } from '../../device/energy.ts';
import type { TargetName } from '../../device/index.ts';
import type { Measured } from '../../device/measure.ts';
import { openRapl } from '../../device/rapl.node.ts';
import type { LatencySettings } from '../../study/latency.ts';
import { type LatencyMeter, openMeter } from '../device/meter.ts';
import type { Contestant, KnownValue } from './contestants.ts';

/** What a network is charged for in V - lambda C, and what one unit of it is. */
export const COSTS = {
  latency: 'milliseconds for each sample',
  params: 'millions of parameters',
  energy: 'millijoules for each sample',
} as const;
export type CostName = keyof typeof COSTS;
export const COST_NAMES = Object.keys(COSTS) as readonly CostName[];

export interface MeasureRequest {
  readonly contestants: readonly Contestant[];
  /** One for each target. */
  readonly devices: readonly LatencySettings[];
  /** Of one busy core, or of another device as a whole. Without it the counters of the processor are read where they can be. */
  readonly watts?: number;
  readonly tariff: Tariff;
  readonly cost: CostName;
  /** How much of the value one unit of the cost is worth. Without it there is no score. */
  readonly lambda?: number;
  readonly signal: AbortSignal;
  onStart?(name: string, target: TargetName): void;
}

/** What was measured of a network on a target; of one sample, unless a field says otherwise. */
export interface MeasuredNetwork extends Pick<Contestant, 'name' | 'kind' | 'untrained' | 'params' | 'flops'> {
  readonly target: TargetName;
  readonly fileBytes: number;
  readonly value?: KnownValue;
  /** Absent where the target cannot run the network. */
  readonly taken?: Taken;
  readonly error?: string;
  /** V - lambda C */
  readonly score?: number;
}

export interface Taken extends Charges {
  /** Of the whole batch. */
  readonly latency: Measured;
  readonly samplesPerSecond: number;
  readonly joules: number;
  /** Mean while the network ran. */
  readonly watts: number;
  /** `counters`: of the processor and its memory, all that ran on the machine. `stated`: the watts are an assumption. */
  readonly wattsFrom: 'counters' | 'stated';
}

export interface Measurement {
  /** Runtime, device, threads, batch of each target. */
  readonly devices: Readonly<Partial<Record<TargetName, string>>>;
  /** Sorted: by the score where there is one, the best first, otherwise by the cost, the least first. */
  readonly networks: readonly MeasuredNetwork[];
}

/**
 * Measures each network on each target, one after another, each in a process of its own: then the peak of memory is that of the network. A network
 * that a target cannot run has an error in its place. Throws UserError where a device is not there, and where there is a lambda but no value.
 */
export async function measureNetworks(request: MeasureRequest): Promise<Measurement> {
  const { contestants, signal, onStart } = request;
  checkValues(request);
  const devices: Partial<Record<TargetName, string>> = {};
  const networks: MeasuredNetwork[] = [];
  for (const device of request.devices) {
    const { target } = device;
    for (const contestant of contestants) {
      signal.throwIfAborted();
      onStart?.(contestant.name, target);
      const meter = await openMeter(device);
      devices[target] = meter.description;
      try {
        networks.push(rowOf(contestant, device, await measureOn(meter, contestant, device, request), request));
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof StudyStopped) throw error;
        networks.push({ ...rowOf(contestant, device, undefined, request), error: messageOf(error) });
      } finally {
        await meter.close();
      }
    }
  }
  return { devices, networks: networks.toSorted((a, b) => rankOf(a, request) - rankOf(b, request)) };
}

/** Throws UserError where networks cannot be compared by V - lambda C. */
function checkValues({ contestants, lambda }: MeasureRequest): void {
  if (lambda === undefined) return;
  const metrics = [...new Set(contestants.flatMap(({ value }) => value?.metric ?? []))];
  if (metrics.length === 1) return;
  if (metrics.length === 0)
    throw invalid(
      '--lambda',
      String(lambda),
      'needs the accuracy of a network: of a study, or of an exported file with --data',
    );
  throw invalid(
    '--lambda',
    String(lambda),
    `the networks are measured by ${metrics.join(' and ')}: it needs one of them`,
  );
}

async function measureOn(
  meter: LatencyMeter,
  { model }: Contestant,
  { target, batch, threads }: LatencySettings,
  { watts: given, tariff, signal }: MeasureRequest,
): Promise<Taken> {
  const counters = given === undefined && (target === 'node' || target === 'browser') ? openRapl() : undefined;
  const [began, stop] = [performance.now(), counters?.start()];
  const latency = await meter.ofModel(model, { signal });
  const measured = stop && stop() / ((performance.now() - began) / 1000);
  const seconds = latency.ms / 1000 / batch;
  const busy = busyThings(target, threads);
  const watts = measured ?? (given ?? WATTS) * busy;
  const joules = joulesOf({ watts, seconds });
  return {
    latency,
    samplesPerSecond: 1 / seconds,
    joules,
    watts,
    wattsFrom: measured === undefined ? 'stated' : 'counters',
    ...chargesOf(joules, tariff),
  };
}

function rowOf(
  { name, kind, untrained, params, flops, model, value }: Contestant,
  { target }: LatencySettings,
  taken: Taken | undefined,
  { lambda, cost }: MeasureRequest,
): MeasuredNetwork {
  const row = {
    ...{ name, kind, untrained, target, params, fileBytes: model.length },
    ...(flops !== undefined && { flops }),
    ...(value && { value }),
    ...(taken && { taken }),
  };
  const score = lambda === undefined ? undefined : scoreOf(row, lambda, cost);
  return { ...row, ...(score !== undefined && { score }) };
}

/** V - lambda C. V is larger for a better network: of a metric that is to be small, it is less than 0. */
function scoreOf(row: MeasuredNetwork, lambda: number, cost: CostName): number | undefined {
  const found = costOf(row, cost);
  if (row.value === undefined || found === undefined) return undefined;
  const { value, direction } = row.value;
  return (direction === 'maximize' ? value : -value) - lambda * found;
}

/** In the unit of `COSTS`. */
function costOf({ taken, params }: MeasuredNetwork, cost: CostName): number | undefined {
  if (cost === 'params') return params / 1e6;
  if (taken === undefined) return undefined;
  return cost === 'latency' ? 1000 / taken.samplesPerSecond : taken.joules * 1000;
}

/** Least first. */
function rankOf(row: MeasuredNetwork, { lambda, cost }: MeasureRequest): number {
  if (lambda !== undefined) return row.score === undefined ? Number.MAX_VALUE : -row.score;
  return costOf(row, cost) ?? Number.MAX_VALUE;
}
