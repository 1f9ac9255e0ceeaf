/** Seconds of training by what they went to. */
export interface Spent {
  /** Building graphs and creating sessions; next to nothing where an earlier training has left them. */
  readonly compile: number;
  /** The engine at work on training steps. */
  readonly train: number;
  /** The engine at work on validation samples. */
  readonly valid: number;
  /** The engine waiting for a batch, or for JavaScript between two runs. */
  readonly idle: number;
}

/** The sum over several stretches of training. */
export function totalSpent(parts: readonly Spent[]): Spent {
  const sum = (key: keyof Spent) => parts.reduce((total, part) => total + part[key], 0);
  return { compile: sum('compile'), train: sum('train'), valid: sum('valid'), idle: sum('idle') };
}
