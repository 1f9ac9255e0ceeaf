export interface Point {
  readonly x: number;
  readonly y: number;
}

/** y = intercept + slope x */
export interface Line {
  readonly intercept: number;
  readonly slope: number;
  /** The largest distance of a point from the line, as a share of the point's y. */
  readonly deviation: number;
}

/**
 * The line with the least squares of relative distances, so that small points count as much as large ones. All y above 0;
 * two points with different x at least. Throws RangeError otherwise.
 */
export function fitLine(points: readonly Point[]): Line {
  // Weighted least squares with weights 1 / y².
  let [w, wx, wy, wxx, wxy] = [0, 0, 0, 0, 0];
  for (const { x, y } of points) {
    const weight = 1 / y ** 2;
    w += weight;
    wx += weight * x;
    wy += weight * y;
    wxx += weight * x * x;
    wxy += weight * x * y;
  }
  const determinant = w * wxx - wx * wx;
  const slope = (w * wxy - wx * wy) / determinant;
  const intercept = (wy - slope * wx) / w;
  if (!Number.isFinite(slope) || determinant === 0) throw new RangeError(`no line through ${points.length} points`);
  return {
    intercept,
    slope,
    deviation: Math.max(...points.map(({ x, y }) => Math.abs(intercept + slope * x - y) / y)),
  };
}
