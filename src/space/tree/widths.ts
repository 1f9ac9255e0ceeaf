/**
 * The multiple of `divisor` nearest to a number of channels, at least `divisor`; one more where it would lose over a tenth (Sandler et al.
 * 2018, published code of MobileNetV2: `make_divisible`).
 */
export function toMultiple(channels: number, divisor: number): number {
  const near = Math.max(divisor, Math.floor((channels + divisor / 2) / divisor) * divisor);
  return divisor > 1 && near < 0.9 * channels ? near + divisor : near;
}
