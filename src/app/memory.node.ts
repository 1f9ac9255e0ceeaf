import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { invalid, type UserError } from '../common/errors.ts';
import { showBytes } from '../report/numbers.ts';
import { parseBytes } from '../study/quantities.ts';
import type { StudySettings } from '../study/spec.ts';
import type { MemoryShortage } from '../train/failure.ts';

/** The share of the available memory that training may take by default: forecasts are not exact, and other processes need some. */
const SHARE = 0.9;

/** Bytes that each of `processes` processes may take, including the process itself. */
export function memoryOfProcess({ memory }: Pick<StudySettings, 'memory'>, processes: number): number {
  const all = memory === undefined ? undefined : parseBytes(memory);
  return (all ?? SHARE * availableBytes()) / processes;
}

/** What is left of it for programs, in this process. */
export function memoryOfPrograms(ofProcess: number): number {
  return Math.max(0, ofProcess - process.memoryUsage.rss());
}

/**
 * The error for a training that does not fit: it names what takes too much (the process with its data, the number of
 * workers, or the training itself) and which settings change that. `data`: what this process holds in memory, as `the table of 1,000 rows`.
 */
export function notEnoughMemory(
  { memory, workers }: Pick<StudySettings, 'memory' | 'workers'>,
  processes: number,
  what: string,
  data: string,
  { neededBytes }: MemoryShortage,
): UserError {
  const ofProcess = memoryOfProcess({ memory }, processes);
  const ownBytes = process.memoryUsage.rss();
  const limit = `${memory === undefined ? '90 % of the available memory' : '--memory'} is ${showBytes(ofProcess * processes)}`;
  const each = processes === 1 ? '' : ` for ${workers} workers, ${showBytes(ofProcess)} each`;
  const needs = `${what} needs about ${showBytes(neededBytes)}`;
  if (ownBytes >= ofProcess) {
    const cure = processes === 1 ? 'raise --memory or use less data' : 'raise --memory, or lower --workers';
    return invalid(
      'not enough memory',
      `a process that holds ${data} uses ${showBytes(ownBytes)} before any training; ${limit}${each}`,
      cure,
    );
  }
  const fitsAlone = processes > 1 && ownBytes + neededBytes <= ofProcess * processes;
  const left = `${showBytes(ofProcess - ownBytes)} are left ${processes === 1 ? '' : 'per worker '}after the ${showBytes(ownBytes)} that the process uses`;
  return invalid(
    'not enough memory',
    `${needs}, but ${left} (${limit}${each})`,
    fitsAlone ? 'lower --workers or --batch-size, or raise --memory' : 'lower --batch-size or raise --memory',
  );
}

/**
 * What can be taken at this moment without driving others out, within the limit of a container. `availableMemory`, since
 * `freemem` leaves out on macOS what the system would give up at once.
 */
function availableBytes(): number {
  const [limit, available] = [process.constrainedMemory(), process.availableMemory()];
  if (limit === 0 || limit >= totalmem()) return available;
  return Math.min(freemem(), limit, available + cachedFiles());
}

/** The control group's use counts files that it has read; the system gives them up when memory is wanted. */
function cachedFiles(): number {
  for (const [file, entry] of [
    ['/sys/fs/cgroup/memory.stat', 'inactive_file'],
    ['/sys/fs/cgroup/memory/memory.stat', 'total_inactive_file'],
  ] as const) {
    try {
      const found = new RegExp(`^${entry} (\\d+)$`, 'm').exec(readFileSync(file, 'utf8'));
      if (found !== null) return Number(found[1]);
    } catch {
      // No such control group here.
    }
  }
  return 0;
}
