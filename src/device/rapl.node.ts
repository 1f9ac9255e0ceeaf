/** The energy counters of Intel's and AMD's processors (RAPL), as Linux shows them; usually for root alone. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = '/sys/class/powercap';

export interface EnergyMeter {
  /** Joules that the processors and their memory have taken since the call, everything that runs on the machine together. */
  start(): () => number;
}

/** The counters of all packages and their memory; undefined where there are none, or they cannot be read. */
export function openRapl(folder = FOLDER): EnergyMeter | undefined {
  try {
    const counters = readdirSync(folder)
      .filter((name) => /^intel-rapl:\d+(:\d+)?$/.test(name))
      .map((name) => join(folder, name))
      // Cores and graphics are within their package, and `psys` has the packages within it.
      .filter((path) => /^(package-\d+|dram)$/.test(textOf(path, 'name')));
    const ranges = counters.map((path) => numberOf(path, 'max_energy_range_uj'));
    const read = () => counters.map((path) => numberOf(path, 'energy_uj'));
    read();
    if (counters.length === 0) return undefined;
    return {
      start() {
        const before = read();
        return () =>
          read().reduce((sum, now, i) => {
            const difference = now - (before[i] ?? Number.NaN);
            // A counter that has reached its end begins again.
            return sum + (difference < 0 ? difference + (ranges[i] ?? Number.NaN) : difference) / 1e6;
          }, 0);
      },
    };
  } catch {
    return undefined;
  }
}

const textOf = (path: string, name: string) => readFileSync(join(path, name), 'utf8').trim();

function numberOf(path: string, name: string): number {
  const value = Number(textOf(path, name));
  if (!Number.isFinite(value)) throw new Error(`${join(path, name)} is no number`);
  return value;
}
