/** Values of our own types as the messages of onnx-proto. */
import onnxProto from 'onnx-proto';
import type { DType } from '../../graph/ir.ts';

const { onnx } = onnxProto;

/** A whole number is an integer attribute; a float is wrapped so that 1 and 1.0 stay apart. */
type Attribute =
  | number
  | readonly number[]
  | string
  | { readonly float: number }
  | { readonly floats: readonly number[] };
export type Attributes = Readonly<Record<string, Attribute>>;

/** A dimension that is only known at run time has a name. */
export type Dimension = number | string;

/** ONNX keeps raw data little-endian, as every machine that Node runs on does. */
export function bytesOf(data: Float32Array | Int32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Without dimensions, a tensor of any shape. */
export function valueInfo(
  name: string,
  dimensions: readonly Dimension[] | undefined,
  dtype: DType = 'float32',
): onnxProto.onnx.IValueInfoProto {
  const dim = dimensions?.map((d) => (typeof d === 'string' ? { dimParam: d } : { dimValue: d }));
  const { FLOAT, INT32 } = onnx.TensorProto.DataType;
  const elemType = dtype === 'int32' ? INT32 : FLOAT;
  return { name, type: { tensorType: { elemType, ...(dim && { shape: { dim } }) } } };
}

export function attribute(name: string, value: Attribute): onnxProto.onnx.IAttributeProto {
  const { AttributeType } = onnx.AttributeProto;
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: value };
  if (typeof value === 'string') return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float };
  if ('floats' in value) return { name, type: AttributeType.FLOATS, floats: [...value.floats] };
  return { name, type: AttributeType.INTS, ints: [...value] };
}
