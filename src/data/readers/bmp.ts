/**
 * BMP files (Microsoft's BITMAPFILEHEADER and DIB headers, OS/2's first one among them): 1, 4, 8 bits with a palette, 16, 24
 * and 32 bits, with bit fields, from the bottom up or from the top down. libvips as sharp brings it reads no BMP, and of the
 * packages for it none reads all of these: palettes, `bfOffBits`, odd widths or top-down rows are ignored without an error.
 */

export interface BmpHeader {
  readonly width: number;
  readonly height: number;
  readonly topDown: boolean;
  readonly bits: number;
  /** Where the rows begin, and bytes of each. */
  readonly start: number;
  readonly stride: number;
  /** Where the palette begins, its colors, and bytes of each. */
  readonly palette: { readonly start: number; readonly count: number; readonly bytes: number };
  /** Bit masks of red, green, blue and alpha in a pixel of 16 or 32 bits; 0 if a channel is absent. */
  readonly masks: readonly [red: number, green: number, blue: number, alpha: number];
}

const RGB = 0;
const BIT_FIELDS = 3;
const ALPHA_BIT_FIELDS = 6;

/** What the header says. Throws Error for one that is cut short, contradicts itself, or is of a kind that is not read. */
export function bmpHeader(bytes: Uint8Array, length = bytes.length): BmpHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 26) throw new Error('the file ends within its header');
  const size = view.getUint32(14, true);
  const old = size === 12;
  if (!old && (size < 40 || size > 124)) throw new Error(`a header of ${size} bytes is not supported`);
  if (bytes.length < 14 + size) throw new Error('the file ends within its header');
  const width = old ? view.getUint16(18, true) : view.getInt32(18, true);
  const signed = old ? view.getUint16(20, true) : view.getInt32(22, true);
  const height = Math.abs(signed);
  if (width < 1 || height < 1) throw new Error(`the size is ${width} by ${height}`);
  const bits = view.getUint16(old ? 24 : 28, true);
  if (![1, 4, 8, 16, 24, 32].includes(bits)) throw new Error(`${bits} bits per pixel are not supported`);
  const compression = old ? RGB : view.getUint32(30, true);
  const fields = compression === BIT_FIELDS || compression === ALPHA_BIT_FIELDS;
  if (compression !== RGB && !(fields && bits >= 16)) {
    throw new Error(`its compression (type ${compression}) is not supported; save it without compression`);
  }
  const used = old ? 0 : view.getUint32(46, true);
  const behind = 14 + size + (size === 40 && fields ? (compression === ALPHA_BIT_FIELDS ? 16 : 12) : 0);
  const count = bits > 8 ? 0 : Math.min(used === 0 ? 2 ** bits : used, 2 ** bits);
  const palette = { start: behind, count, bytes: old ? 3 : 4 };
  const start = view.getUint32(10, true);
  if (start < behind + palette.count * palette.bytes) throw new Error('its pixel data overlaps its header');
  const stride = 4 * Math.ceil((width * bits) / 32);
  const needed = start + stride * height;
  if (needed > length) {
    throw new Error(`${width} by ${height} pixels need ${needed} bytes, and the file has ${length}`);
  }
  return {
    width,
    height,
    topDown: signed < 0,
    bits,
    start,
    stride,
    palette,
    masks: masksOf(view, size, bits, compression),
  };
}

function masksOf(view: DataView, size: number, bits: number, compression: number): BmpHeader['masks'] {
  if (compression === RGB) return bits === 16 ? [0x7c00, 0x3e0, 0x1f, 0] : [0xff0000, 0xff00, 0xff, 0];
  const mask = (k: number) => view.getUint32(54 + 4 * k, true);
  return [mask(0), mask(1), mask(2), size >= 56 || compression === ALPHA_BIT_FIELDS ? mask(3) : 0];
}

/** Its pixels from the top down, [height, width, 4]: red, green, blue, alpha. Throws Error as bmpHeader does. */
export function decodeBmp(bytes: Uint8Array): {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
} {
  const header = bmpHeader(bytes);
  const { width, height, topDown, start, stride } = header;
  const pixels = new Uint8Array(4 * width * height);
  const write = header.bits <= 8 ? indexed(bytes, header) : header.bits === 24 ? plain(bytes) : packed(bytes, header);
  for (let y = 0; y < height; y++) {
    const row = start + stride * (topDown ? y : height - 1 - y);
    for (let x = 0; x < width; x++) write(pixels, 4 * (y * width + x), row, x);
  }
  return { width, height, pixels };
}

/** Writes the pixel `x` of the row that begins at byte `row`. */
type Write = (pixels: Uint8Array, at: number, row: number, x: number) => void;

function plain(bytes: Uint8Array): Write {
  return (pixels, at, row, x) => {
    for (let c = 0; c < 3; c++) pixels[at + c] = bytes[row + 3 * x + 2 - c] ?? Number.NaN;
    pixels[at + 3] = 255;
  };
}

function indexed(bytes: Uint8Array, { bits, palette }: BmpHeader): Write {
  const perByte = 8 / bits;
  return (pixels, at, row, x) => {
    const shift = 8 - bits * ((x % perByte) + 1);
    const index = ((bytes[row + Math.floor(x / perByte)] ?? Number.NaN) >> shift) & (2 ** bits - 1);
    // A color that the palette lacks is black, as in other readers.
    const from = palette.start + palette.bytes * index;
    for (let c = 0; c < 3; c++) pixels[at + c] = index < palette.count ? (bytes[from + 2 - c] ?? Number.NaN) : 0;
    pixels[at + 3] = 255;
  };
}

function packed(bytes: Uint8Array, { bits, masks }: BmpHeader): Write {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const channels = masks.map((mask) => {
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
    return { shift, most: mask >>> shift };
  });
  return (pixels, at, row, x) => {
    const pixel = bits === 16 ? view.getUint16(row + 2 * x, true) : view.getUint32(row + 4 * x, true);
    channels.forEach(({ shift, most }, c) => {
      pixels[at + c] = most === 0 ? (c === 3 ? 255 : 0) : Math.round((255 * ((pixel >>> shift) & most)) / most);
    });
  };
}
