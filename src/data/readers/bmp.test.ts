import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type BmpOptions, bmp } from '../testing/bmp.ts';
import { bmpHeader, decodeBmp } from './bmp.ts';

const RED = [255, 0, 0] as const;
const PALETTE = [[0, 0, 0], RED, [0, 255, 0], [9, 8, 7]] as const;

/** Red, green, blue and alpha of every pixel. */
const pixelsOf = (file: Uint8Array) => {
  const { pixels } = decodeBmp(file);
  return Array.from({ length: pixels.length / 4 }, (_, i) => [...pixels.subarray(4 * i, 4 * i + 4)]);
};
const opaque = (colors: readonly (readonly number[])[]) => colors.map((color) => [...color, 255]);

test('24 bits: rows of odd widths, from the bottom up and from the top down, with a gap before them', () => {
  const values = [0xff0000, 0x00ff00, 0x0000ff, 0x010203, 0x040506, 0x070809];
  const wanted = opaque([RED, [0, 255, 0], [0, 0, 255], [1, 2, 3], [4, 5, 6], [7, 8, 9]]);
  for (const options of [{}, { topDown: true }, { gap: 10 }, { old: true }])
    assert.deepEqual(pixelsOf(bmp(3, 2, values, { bits: 24, ...options })), wanted, JSON.stringify(options));
});

test('1, 4 and 8 bits with a palette, at widths that fill no byte', () => {
  for (const bits of [1, 4, 8] as const) {
    const indices = [0, 1, 1, 0, 1, 0, 1, 1, 1, 0, 0, 1, 0, 1].map((i) => (bits === 1 ? i : 3 * i));
    const colors = bits === 1 ? PALETTE.slice(0, 2) : PALETTE;
    const wanted = opaque(indices.map((i) => PALETTE[i] ?? []));
    for (const old of [false, true]) {
      // OS/2's header has no number of colors: the palette is full.
      const palette = old ? [...colors, ...Array<typeof RED>(2 ** bits - colors.length).fill(RED)] : colors;
      assert.deepEqual(pixelsOf(bmp(7, 2, indices, { bits, palette, old })), wanted, `${bits} bits`);
    }
  }
  assert.deepEqual(
    pixelsOf(bmp(1, 1, [200], { bits: 8, palette: PALETTE })),
    opaque([[0, 0, 0]]),
    'a color that the palette lacks',
  );
});

test('16 and 32 bits: with bit fields and without; the fourth byte is transparency only where the header says so', () => {
  const one = (value: number, options: BmpOptions) => pixelsOf(bmp(1, 1, [value], options))[0];
  assert.deepEqual(one(0x7c00, { bits: 16 }), [255, 0, 0, 255]);
  assert.deepEqual(one(0x07e0, { bits: 16, masks: [0xf800, 0x7e0, 0x1f] }), [0, 255, 0, 255]);
  assert.deepEqual(one(0x00102030, { bits: 32 }), [16, 32, 48, 255]);
  assert.deepEqual(one(0x10203040, { bits: 32, masks: [0xff000000, 0xff0000, 0xff00] }), [16, 32, 48, 255]);
  assert.deepEqual(one(0x80102030, { bits: 32, masks: [0xff0000, 0xff00, 0xff, 0xff000000] }), [16, 32, 48, 128]);
});

test('what is cut short, contradicts itself or is compressed is refused', () => {
  const whole = bmp(3, 2, Array(6).fill(0), { bits: 24 });
  assert.throws(() => decodeBmp(whole.subarray(0, whole.length - 1)), /need 78 bytes, and the file has 77/);
  assert.throws(() => decodeBmp(whole.subarray(0, 30)), /ends within its header/);
  assert.throws(() => decodeBmp(bmp(1, 1, [0], { bits: 8, palette: PALETTE, compression: 1 })), /type 1.*without/);
  const huge = Buffer.from(whole);
  huge.writeInt32LE(2 ** 31 - 1, 18);
  huge.writeInt32LE(2 ** 31 - 1, 22);
  assert.throws(() => bmpHeader(huge), /2147483647 by 2147483647 pixels need/);
});

test('of any header either pixels come or an Error that says why', () => {
  const base = bmp(5, 4, Array(20).fill(1), { bits: 8, palette: PALETTE });
  const changes = fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 6 });
  fc.assert(
    fc.property(changes, fc.nat(base.length), (changed, length) => {
      const file = Buffer.from(base.subarray(0, length));
      for (const [at, value] of changed) if (at < length) file[at] = value;
      try {
        const { width, height, pixels } = decodeBmp(file);
        assert.equal(pixels.length, 4 * width * height);
      } catch (error) {
        assert.ok(error instanceof Error && error.constructor === Error, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
