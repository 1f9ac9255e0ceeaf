import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { parseBytes, type StudySettings } from './config.ts';

/** So much of what is free may be taken unless told otherwise: forecasts are not exact, and others need some. */
const SHARE = 0.9;

/** Bytes that each of so many processes may take, itself included. */
export function memoryOfProcess({ memory }: Pick<StudySettings, 'memory'>, processes: number): number {
  const all = memory === undefined ? undefined : parseBytes(memory);
  return (all ?? SHARE * availableBytes()) / processes;
}

/** What is left of it for programs, in this process. */
export function memoryOfPrograms(ofProcess: number): number {
  return Math.max(0, ofProcess - process.memoryUsage.rss());
}

/** What can be taken at this moment without driving others out, in the limits of the control group: of a container. */
function availableBytes(): number {
  const limit = process.constrainedMemory();
  if (limit === 0 || limit >= totalmem()) return freemem();
  return Math.min(freemem(), limit, process.availableMemory() + cachedFiles());
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
