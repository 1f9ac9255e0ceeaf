/** Measures networks on the target that settings name: for a study, a profile, and the end of a run. */
import { readFileSync } from 'node:fs';
import { messageOf, StudyStopped } from '../../common/errors.ts';
import { type Measured, type MeasureRequest, measureLatency } from '../../device/measure.ts';
import { targetOf } from '../../device/open.node.ts';
import type { OpenTarget } from '../../device/target.ts';
import { untrainedOnnx } from '../../report/export/untrained.ts';
import type { Task } from '../../space/space.ts';
import type { Module } from '../../space/tree/module.ts';
import { type LatencySettings, latencySettings } from '../../study/latency.ts';
import type { StudySettings } from '../../study/spec.ts';
import { readTable } from './table.ts';

export interface LatencyMeter {
  /** Of the target: runtime, device, threads. */
  readonly description: string;
  /** The latency of an ONNX file. Throws UserError where the device cannot run it, and StudyStopped where the device is gone. */
  ofModel(model: Uint8Array, request?: Pick<MeasureRequest, 'rounds' | 'seconds' | 'signal'>): Promise<Measured>;
  close(): Promise<void>;
}

/** A command of the user's own times a device that does nothing else: the interval is that of what it prints. */
const ONE_ROUND = { least: 1, most: 1 };

/** Opens the target of a study. Throws UserError where the device is not there. */
export async function openMeter({
  target: name,
  batch,
  ...rest
}: Omit<LatencySettings, 'table' | 'max'>): Promise<LatencyMeter> {
  const { threads, command, browser, patience } = rest;
  const own = { ...(command !== undefined && { command }), ...(browser !== undefined && { browser }) };
  const target = await targetOf(name, { threads, patience, ...own });
  let open: OpenTarget = await target.open();

  /** Whether a failure is that of the model: the device still answers. Throws StudyStopped otherwise. */
  async function checkDevice(reason: unknown): Promise<void> {
    await open.close();
    try {
      open = await target.open();
    } catch (error) {
      throw new StudyStopped(`${messageOf(reason)}; the device does not answer any more: ${messageOf(error)}`);
    }
  }

  const { description } = open;
  return {
    description: batch === 1 ? description : `${description}, batches of ${batch}`,
    async ofModel(model, request = {}) {
      try {
        return await measureLatency(open, model, {
          ...(name === 'command' && { rounds: ONE_ROUND }),
          ...request,
          batch,
        });
      } catch (error) {
        request.signal?.throwIfAborted();
        await checkDevice(error);
        throw error;
      }
    },
    close: () => open.close(),
  };
}

/** The device that a study measures latencies on, or where those of its table were measured; undefined where it takes none. Throws UserError where the device is not there. */
export async function deviceOf(settings: StudySettings): Promise<string | undefined> {
  const given = latencySettings(settings);
  if (given === undefined) return undefined;
  if (given.table !== undefined) return readTable(given.table).device;
  const meter = await openMeter(given);
  await meter.close();
  return meter.description;
}

/** The latency of an exported file. */
export async function latencyOfFile(file: string, settings: LatencySettings, signal: AbortSignal): Promise<Measured> {
  const meter = await openMeter(settings);
  try {
    return await meter.ofModel(readFileSync(file), { signal });
  } finally {
    await meter.close();
  }
}

/** The latency of a network with random weights, which take as long as trained ones. */
export function latencyOfNetwork(
  meter: LatencyMeter,
  network: Module,
  task: Task,
  request: Parameters<LatencyMeter['ofModel']>[1] = {},
): Promise<Measured> {
  return meter.ofModel(untrainedOnnx(network, task), request);
}
