/** How thoroughly a candidate is looked at. Shares are of the full thing, in (0, 1]. */
export interface Fidelity {
  readonly epochs: number;
  /** Share of the training samples. */
  readonly data: number;
  /** Share of the image's side: 1, 1/2, 1/4, ... */
  readonly resolution: number;
  /** Share of the channels. */
  readonly width: number;
}
