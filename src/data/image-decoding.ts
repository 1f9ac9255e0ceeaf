import type { ImageDecoding } from './dataset.ts';

/** `{"background":255,"values":[0,4095]}`, as it stands in a model's metadata; undefined for any other data. */
export function readDecoding(value: unknown): ImageDecoding | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { background, values } = value as { readonly background?: unknown; readonly values?: unknown };
  if (background !== undefined && !isGray(background)) return undefined;
  if (values !== undefined && !isPair(values)) return undefined;
  return { ...(background !== undefined && { background }), ...(values !== undefined && { values }) };
}

/** What is done to an image file before it is an input, in words: the same for every image of the data. */
export function describeDecoding({ background = 0, values }: ImageDecoding = {}): string {
  const ground = background === 0 ? 'black' : background === 255 ? 'white' : `gray ${background}`;
  const scaled =
    values === undefined ? '' : `samples with more than 8 bits rescaled from ${values.join(' to ')} to 0 to 255, `;
  return `rotated according to EXIF, ${scaled}transparency filled with ${ground}, resized to the input size (aspect ratio not kept)`;
}

function isGray(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255;
}

function isPair(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every(Number.isFinite) && value[0] < value[1];
}
