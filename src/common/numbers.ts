/**
 * A typed number in decimal notation, also `1e3`; spaces around it are ignored. Undefined for any other text (`0x10`,
 * `1_000`, `Infinity`, digits of other scripts) and for numbers that are too large for a double.
 */
export function parseNumber(text: string): number | undefined {
  const trimmed = text.trim();
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(trimmed)) return undefined;
  const value = Number(trimmed);
  // -0 would be stored as another number than it is read as.
  return Number.isFinite(value) ? value + 0 : undefined;
}

/** The number, if the text is one; otherwise the text, which a later check refuses by name. */
export function numberIfItIsOne(text: string): number | string {
  return parseNumber(text) ?? text;
}

/** Whether it is a whole number of a range. */
export function isWhole(value: unknown, least: number, most: number): value is number {
  return Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most;
}
