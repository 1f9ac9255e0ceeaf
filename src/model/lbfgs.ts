/** The value at a point; fills in the gradient there. */
export type Objective = (point: Float64Array, gradient: Float64Array) => number;

/** Pairs of steps and changes of the gradient that are kept. */
const MEMORY = 10;
/** Of the decrease that the gradient promises, as much must come true (Nocedal & Wright 2006, eq. 3.6a). */
const SUFFICIENT = 1e-4;
const MOST_HALVINGS = 20;
/** It ends where the gradient is this small beside the value. */
const FLAT = 1e-7;

/**
 * Minimizes a smooth function from `point` on, in place (L-BFGS, Nocedal & Wright 2006, algorithm 7.5, with backtracking). Yields the
 * value after each iteration; ends where nothing is gained. An iteration: O(size), and mostly one call of `objective`.
 */
export function* lbfgs(objective: Objective, point: Float64Array): Generator<number, void> {
  const { length: size } = point;
  let gradient = new Float64Array(size);
  let value = objective(point, gradient);
  const steps: { readonly step: Float64Array; readonly change: Float64Array; readonly curvature: number }[] = [];
  for (;;) {
    const direction = descent(gradient, steps);
    const slope = dot(direction, gradient);
    if (!(-slope > FLAT * FLAT * Math.max(1, Math.abs(value)))) return;
    // The first direction is the gradient itself, of whatever length.
    let length = steps.length === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1;
    const from = point.slice();
    let next = new Float64Array(size);
    let found = Number.NaN;
    let halvings = 0;
    for (; halvings < MOST_HALVINGS; halvings++, length /= 2) {
      for (let i = 0; i < size; i++) point[i] = (from[i] as number) + length * (direction[i] as number);
      found = objective(point, next.fill(0));
      if (found <= value + SUFFICIENT * length * slope) break;
    }
    if (halvings === MOST_HALVINGS) {
      point.set(from);
      return;
    }
    const step = point.map((x, i) => x - (from[i] as number));
    const change = next.map((g, i) => g - (gradient[i] as number));
    const curvature = dot(step, change);
    if (curvature > 1e-12 * dot(change, change)) {
      steps.push({ step, change, curvature });
      if (steps.length > MEMORY) steps.shift();
    }
    [gradient, next] = [next, gradient];
    value = found;
    yield value;
  }
}

/** Minus the gradient times an estimate of the inverse Hessian (algorithm 7.4). */
function descent(
  gradient: Float64Array,
  steps: readonly { readonly step: Float64Array; readonly change: Float64Array; readonly curvature: number }[],
): Float64Array {
  const q = gradient.slice();
  const shares = steps
    .toReversed()
    .map(({ step, change, curvature }) => {
      const share = dot(step, q) / curvature;
      add(q, change, -share);
      return share;
    })
    .toReversed();
  const last = steps.at(-1);
  const scale = last === undefined ? 1 : last.curvature / dot(last.change, last.change);
  for (let i = 0; i < q.length; i++) q[i] = (q[i] as number) * scale;
  for (const [k, { step, change, curvature }] of steps.entries())
    add(q, step, (shares[k] ?? 0) - dot(change, q) / curvature);
  return q.map((x) => -x);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

function add(to: Float64Array, what: Float64Array, times: number): void {
  for (let i = 0; i < to.length; i++) to[i] = (to[i] as number) + times * (what[i] as number);
}
