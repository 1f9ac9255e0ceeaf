/** What a BMP file to be written is like; see bmpHeader for what these mean. */
export interface BmpOptions {
  readonly bits: 1 | 4 | 8 | 16 | 24 | 32;
  readonly topDown?: boolean;
  /** Colors as [red, green, blue]: of 1, 4 and 8 bits. */
  readonly palette?: readonly (readonly [number, number, number])[];
  readonly masks?: readonly number[];
  readonly compression?: number;
  /** OS/2's header of 12 bytes. */
  readonly old?: boolean;
  /** Bytes between header and pixels, as some programs leave. */
  readonly gap?: number;
}

/** A BMP file of `pixels`, row by row from the top: palette indices, packed pixels, or of 24 bits 0xRRGGBB. */
export function bmp(width: number, height: number, pixels: readonly number[], options: BmpOptions): Buffer {
  const { bits, topDown = false, palette = [], masks = [], old = false, gap = 0 } = options;
  const size = old ? 12 : 40;
  const color = old ? 3 : 4;
  const start = 14 + size + 4 * masks.length + color * palette.length + gap;
  const stride = 4 * Math.ceil((width * bits) / 32);
  const file = Buffer.alloc(start + stride * height);
  file.write('BM', 'latin1');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(start, 10);
  file.writeUInt32LE(size, 14);
  if (old) {
    file.writeUInt16LE(width, 18);
    file.writeUInt16LE(height, 20);
    file.writeUInt16LE(bits, 24);
  } else {
    file.writeInt32LE(width, 18);
    file.writeInt32LE(topDown ? -height : height, 22);
    file.writeUInt16LE(bits, 28);
    file.writeUInt32LE(options.compression ?? (masks.length === 0 ? 0 : masks.length === 3 ? 3 : 6), 30);
    file.writeUInt32LE(palette.length, 46);
  }
  masks.forEach((mask, k) => {
    file.writeUInt32LE(mask, 54 + 4 * k);
  });
  palette.forEach(([red, green, blue], k) => {
    file.set([blue, green, red], 14 + size + 4 * masks.length + color * k);
  });
  pixels.forEach((pixel, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    const row = start + stride * (topDown ? y : height - 1 - y);
    if (bits === 24) file.set([pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255], row + 3 * x);
    else if (bits === 16) file.writeUInt16LE(pixel, row + 2 * x);
    else if (bits === 32) file.writeUInt32LE(pixel >>> 0, row + 4 * x);
    else {
      const at = row + Math.floor((x * bits) / 8);
      file[at] = (file[at] ?? Number.NaN) | (pixel << (8 - bits - ((x * bits) % 8)));
    }
  });
  return file;
}
