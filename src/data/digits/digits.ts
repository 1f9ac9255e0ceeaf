import { inflate } from '../../common/inflate.ts';
import { assembleClasses } from '../assemble.ts';
import { DIGIT_CLASSES } from '../class-names.ts';
import type { DataRequest, Dataset } from '../dataset.ts';
import { memorySource } from '../samples.ts';
import { DIGITS } from './pixels.ts';

const COUNT = 1797;
const PIXELS = 64;

/** The embedded handwritten digits: [1, 8, 8], values 0 to 16, ten classes. Needs no file; works in a browser. */
export async function openDigits(request: DataRequest): Promise<Dataset> {
  // DEFLATE in base64.
  const packed = Uint8Array.from(atob(DIGITS), (character) => character.charCodeAt(0));
  const bytes = await inflate(packed, 'deflate-raw');

  return assembleClasses(
    'digits',
    {
      info: {
        name: 'digits',
        kind: 'classification',
        input: [1, 8, 8],
        outputs: 10,
        labels: DIGIT_CLASSES,
        range: [0, 16],
      },
      pool: memorySource({
        values: bytes,
        elements: PIXELS,
        targets: Float32Array.from(bytes.subarray(COUNT * PIXELS)),
      }),
      notes: [
        '1,797 handwritten digits, 8x8 pixels, bundled with Netsmith (Alpaydin and Kaynak, UCI 1998, CC BY 4.0).',
      ],
    },
    request,
  );
}
