import type { Row } from './compare.ts';

/** One of ONNX Runtime's operators in one run of a program. */
export interface Operator {
  readonly type: string;
  /** Empty for the standard ones, and for nodes that ONNX Runtime itself has put in. */
  readonly domain: string;
  /** How many nodes there are. */
  readonly nodes: number;
  /** Of all of them, in one run: the mean over the runs. */
  readonly milliseconds: number;
  /** Of the time in kernels. */
  readonly share: number;
}

/** Where the time of one action goes, by falling time. */
export interface Profile extends Pick<Row, 'name' | 'network' | 'batch' | 'layout'> {
  readonly operators: readonly Operator[];
}
