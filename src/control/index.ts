/** The known environments, by name. Those with options are made by their functions as well. */
import type { Environment } from './environment.ts';
import { acrobot } from './environments/acrobot.ts';
import { arm } from './environments/arm.ts';
import { breakout } from './environments/breakout.ts';
import { cartPole } from './environments/cart-pole.ts';
import { mountainCar, mountainCarContinuous } from './environments/mountain-car.ts';
import { pendulum } from './environments/pendulum.ts';
import { doublePole, singlePole } from './environments/poles.ts';
import { xor } from './environments/xor.ts';

export const ENVIRONMENTS = {
  'cart-pole': cartPole(),
  'cart-pole-without-velocities': cartPole({ velocities: false }),
  acrobot,
  'mountain-car': mountainCar,
  'mountain-car-continuous': mountainCarContinuous,
  pendulum,
  arm,
  breakout,
  pole: singlePole(),
  'pole-without-velocities': singlePole({ velocities: false }),
  'double-pole': doublePole(),
  'double-pole-without-velocities': doublePole({ velocities: false }),
  xor,
} as const satisfies Readonly<Record<string, Environment>>;

export type EnvironmentName = keyof typeof ENVIRONMENTS;
