/** Kinds of samples that a TIFF file may hold, by the baseline tags BitsPerSample and SampleFormat. */
const KINDS = {
  uint8: { bits: 8, format: 1 },
  uint16: { bits: 16, format: 1 },
  uint32: { bits: 32, format: 1 },
  int16: { bits: 16, format: 2 },
  float32: { bits: 32, format: 3 },
  float64: { bits: 64, format: 3 },
} as const;

/**
 * An uncompressed little-endian TIFF file (TIFF 6.0), one strip: sharp writes no samples of more than 8 bits to TIFF.
 * `values`: [height, width, channels].
 */
export function tiff(
  kind: keyof typeof KINDS,
  width: number,
  height: number,
  channels: 1 | 3,
  values: ArrayLike<number>,
): Buffer {
  const { bits, format } = KINDS[kind];
  const bytes = bits / 8;
  const [SHORT, LONG] = [3, 4];
  const tags: (readonly [tag: number, type: number, count: number, value: number])[] = [
    [256, LONG, 1, width],
    [257, LONG, 1, height],
    [258, SHORT, channels, bits],
    [259, SHORT, 1, 1],
    [262, SHORT, 1, channels === 1 ? 1 : 2],
    [273, LONG, 1, 0],
    [277, SHORT, 1, channels],
    [278, LONG, 1, height],
    [279, LONG, 1, width * height * channels * bytes],
    [284, SHORT, 1, 1],
    [339, SHORT, channels, format],
  ];
  const extra = 8 + 2 + tags.length * 12 + 4;
  const start = extra + (channels === 3 ? 16 : 0);
  const file = Buffer.alloc(start + values.length * bytes);
  file.write('II*\0', 'latin1');
  file.writeUInt32LE(8, 4);
  file.writeUInt16LE(tags.length, 8);
  let outside = extra;
  tags.forEach(([tag, type, count, value], k) => {
    const at = 10 + 12 * k;
    file.writeUInt16LE(tag, at);
    file.writeUInt16LE(type, at + 2);
    file.writeUInt32LE(count, at + 4);
    if (count > 1) {
      for (let c = 0; c < count; c++) file.writeUInt16LE(value, outside + 2 * c);
      file.writeUInt32LE(outside, at + 8);
      outside += 8;
    } else if (type === SHORT) file.writeUInt16LE(value, at + 8);
    else file.writeUInt32LE(tag === 273 ? start : value, at + 8);
  });
  for (let i = 0; i < values.length; i++) {
    const [value, at] = [values[i] ?? Number.NaN, start + i * bytes];
    if (kind === 'float32') file.writeFloatLE(value, at);
    else if (kind === 'float64') file.writeDoubleLE(value, at);
    else if (kind === 'int16') file.writeInt16LE(value, at);
    else file.writeUIntLE(value, at, bytes);
  }
  return file;
}
