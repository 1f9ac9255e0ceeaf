/** Changes to inputs that are valid: the broken ones that are nearly right find more than noise does. */
import type { Rng } from '../../src/common/random.ts';

const NASTY = [
  '',
  ' ',
  '\0',
  '\u001b[2J',
  '\u202e',
  '\ufeff',
  '\ud800',
  '"',
  "'",
  ',',
  ';',
  '\t',
  '\n',
  '\r\n',
  '\\',
  '/',
  '../',
  '{',
  '}',
  '[',
  ']',
  '(',
  ')',
  '|',
  '~',
  '+',
  '-',
  '=',
  '0',
  '-0',
  '1e309',
  '-1e309',
  '1e-400',
  'NaN',
  'Infinity',
  '9007199254740993',
  '0x10',
  '1_000',
  'null',
  'true',
  '__proto__',
  'constructor',
  'toString',
  '[['.repeat(300),
  'a'.repeat(2000),
  '%s%n',
  '=1+1',
  '$1,234.50',
  '12/31/2020',
  '2020-02-30',
  '25:61',
  '🙂',
  'é',
] as const;

/** Text with one to three pieces removed, doubled, moved or replaced by something nasty. */
export function mutateText(text: string, random: Rng): string {
  let changed = text;
  for (let edits = 1 + random.int(3); edits > 0; edits--) {
    const at = random.int(changed.length + 1);
    const length = random.int(Math.min(12, changed.length - at + 1));
    const piece = changed.slice(at, at + length);
    const instead = random.pick([
      () => '',
      () => piece + piece,
      () => random.pick(NASTY),
      () => piece.toUpperCase(),
      () => String.fromCharCode(random.int(0x250)),
    ])();
    changed = changed.slice(0, at) + instead + changed.slice(at + length);
  }
  return changed;
}

/** Bytes with one to four of them changed, or with a piece cut out, doubled or filled. */
export function mutateBytes(bytes: Uint8Array, random: Rng): Uint8Array {
  const at = random.int(bytes.length + 1);
  const length = random.int(Math.min(64, bytes.length - at + 1));
  const [before, piece, after] = [bytes.slice(0, at), bytes.slice(at, at + length), bytes.slice(at + length)];
  const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
  return random.pick([
    () => flipped(bytes, random),
    () => flipped(bytes, random),
    () => before,
    () => joined(before, after),
    () => joined(before, piece, piece, after),
    () => joined(before, new Uint8Array(length).fill(random.pick([0, 0xff, 0x7f, 0x80])), after),
  ])();
}

function flipped(bytes: Uint8Array, random: Rng): Uint8Array {
  const changed = bytes.slice();
  for (let edits = 1 + random.int(4); edits > 0 && changed.length > 0; edits--) {
    // Headers stand first: half of the changes are there.
    const at = random.int(random.float() < 0.5 ? Math.min(64, changed.length) : changed.length);
    changed[at] = random.int(256);
  }
  return changed;
}

/** Plain data with one to three values removed, exchanged, nested or replaced. */
export function mutateJson(value: unknown, random: Rng): unknown {
  const copy: unknown = structuredClone(value);
  const spots: { readonly holder: Record<string, unknown>; readonly key: string }[] = [];
  const walk = (node: unknown) => {
    if (node === null || typeof node !== 'object') return;
    for (const [key, child] of Object.entries(node)) {
      spots.push({ holder: node as Record<string, unknown>, key });
      walk(child);
    }
  };
  walk(copy);
  for (let edits = 1 + random.int(3); edits > 0 && spots.length > 0; edits--) {
    const { holder, key } = random.pick(spots);
    const other = random.pick(spots);
    random.pick([
      () => delete holder[key],
      () =>
        Object.assign(holder, {
          [key]: random.pick<unknown>([null, true, -1, 0.5, 1e308, 2 ** 53, '', 'x', [], {}, [[]]]),
        }),
      () => Object.assign(holder, { [key]: random.pick(NASTY) }),
      () => Object.assign(holder, { [key]: structuredClone(other.holder[other.key]) }),
      () => Object.assign(holder, { [key]: [holder[key], holder[key]] }),
      () => {
        const name = random.pick(['__proto__', 'constructor', 'extra', 'length']);
        if (!Array.isArray(holder))
          Object.defineProperty(holder, name, { value: random.int(9), enumerable: true, configurable: true });
      },
    ])();
  }
  // As it would come from a file.
  return JSON.parse(JSON.stringify(copy) ?? 'null');
}
