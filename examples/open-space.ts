// A search space without decisions and without end, written by hand: polynomials that grow. No network is trained; a function
// scores each polynomial. Run it with `node examples/open-space.ts`.
import {
  type Architecture,
  checkSearchSpace,
  createStrategy,
  type Estimator,
  inProcessPool,
  memoryStore,
  type Problem,
  type Rng,
  runStudy,
  type SearchSpace,
  UserError,
} from 'netsmith/node';

/** An architecture is any plain JSON object. Here: the coefficients of 1, x, x², ... */
type Polynomial = { readonly coefficients: readonly number[] };

/** Every architecture comes from here, so each one is checked and frozen. */
function check(found: unknown): Polynomial {
  const { coefficients, ...others } = Object(found) as Record<string, unknown>;
  const isList = Array.isArray(coefficients) && coefficients.length > 0 && coefficients.every(Number.isFinite);
  if (!isList || Object.keys(others).length > 0)
    throw new UserError(`polynomial: is ${JSON.stringify(found)}; must be { coefficients: [number, ...] }`);
  return Object.freeze({ coefficients: Object.freeze([...coefficients]) });
}

const step = (random: Rng) => Math.round(100 * random.normal()) / 100 || 0.01;

export const polynomials: SearchSpace = {
  name: 'polynomials',
  check,
  sample: (random) => check({ coefficients: [step(random)] }),
  mutate(architecture, random) {
    const { coefficients } = check(architecture);
    if (random.float() < 0.2) return check({ coefficients: [...coefficients, step(random)] });
    const changed = random.int(coefficients.length);
    return check({ coefficients: coefficients.map((one, i) => (i === changed ? one + step(random) : one)) });
  },
  crossover(a, b, random) {
    const [longer, other] = [check(a).coefficients, check(b).coefficients];
    return check({ coefficients: longer.map((one, i) => (random.float() < 0.5 ? one : (other[i] ?? one))) });
  },
  format: (architecture) => check(architecture).coefficients.join(' '),
  parse: (text) => check({ coefficients: text.split(' ').map(Number) }),
};

/** How far the polynomial is from the sine between 0 and 3: the root of the mean squared error. */
function errorOf(architecture: Architecture): number {
  const { coefficients } = check(architecture);
  const points = Array.from({ length: 31 }, (_, i) => i / 10);
  const errors = points.map((x) => coefficients.reduce((sum, c, i) => sum + c * x ** i, 0) - Math.sin(x));
  return Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / points.length);
}

const estimator: Estimator<SearchSpace> = {
  async estimate({ architecture }, run) {
    const report = { step: run.fidelity.epochs, metrics: { error: errorOf(architecture) }, seconds: 0 };
    await run.report(report, undefined);
    return { state: 'complete', metrics: report.metrics, curve: [report], seconds: 0 };
  },
};

await checkSearchSpace(polynomials);
const problem: Problem = {
  space: polynomials,
  objectives: [{ metric: 'error', direction: 'minimize', unit: 'score' }],
  limits: [{ cost: 'terms', max: 5 }],
  seed: 1,
  fidelities: [{ epochs: 1, data: 1, resolution: 1, width: 1 }],
  costs: (architecture) => ({ terms: check(architecture).coefficients.length }),
};
const strategy = createStrategy('aging-evolution', { population: 50, sample: 15 });
const store = memoryStore({ name: 'polynomials', settings: {}, state: strategy.init(problem) });
const workers = inProcessPool({ space: polynomials, estimator }, store.artifacts);
const { best } = await runStudy({ store, strategy, problem, workers, budget: { trials: 1000 } });
for (const { architecture, metrics } of best)
  console.log(`error ${metrics.error?.toFixed(3)}: ${polynomials.format(architecture)}`);
