/**
 * A checksum at the end of an exported file, so that damage is noticed before the model answers. It guards against accidents, not
 * against an attacker, who can recompute it.
 */
import { createHash } from 'node:crypto';
import onnxProto from 'onnx-proto';
import { invalid } from '../../common/errors.ts';

/** The key of the metadata that holds it. */
export const SEAL_KEY = 'netsmith.sha256';

/** The length of a SHA-256 as text. */
const HEX_DIGITS = 64;

/** A protobuf message may come in several parts, which its reader joins: the last holds this entry alone. */
function sealOf(body: Uint8Array): Uint8Array {
  const value = createHash('sha256').update(body).digest('hex');
  return onnxProto.onnx.ModelProto.encode({ metadataProps: [{ key: SEAL_KEY, value }] }).finish();
}

/** The ONNX file with a last entry of metadata, the SHA-256 of all bytes before it. */
export function sealModel(model: Uint8Array): Uint8Array {
  const seal = sealOf(model);
  const sealed = new Uint8Array(model.length + seal.length);
  sealed.set(model);
  sealed.set(seal, model.length);
  return sealed;
}

/** Whether a file ends in an entry that is, or before some bytes changed was, a seal: at least three quarters of its fixed bytes are right. */
function endsInSeal(model: Uint8Array): boolean {
  const seal = sealOf(new Uint8Array());
  const fixed = seal.subarray(0, seal.length - HEX_DIGITS);
  const end = model.subarray(Math.max(0, model.length - seal.length));
  return fixed.filter((byte, i) => byte === end[i]).length * 4 >= fixed.length * 3;
}

/** Throws UserError for a sealed file that is not as it was sealed, also where the key of the seal is damaged. `texts` is its metadata. */
export function checkSeal(place: string, model: Uint8Array, texts: Readonly<Record<string, string>>): void {
  if (!Object.hasOwn(texts, SEAL_KEY) && !endsInSeal(model)) return;
  const length = sealOf(new Uint8Array()).length;
  const seal = sealOf(model.subarray(0, Math.max(0, model.length - length)));
  if (Buffer.compare(seal, model.subarray(-length)) === 0) return;
  throw invalid(
    place,
    'it is not as Netsmith exported it: its checksum differs',
    'the file is damaged or was changed; export it again',
  );
}
