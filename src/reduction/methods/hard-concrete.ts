/** Louizos, Welling & Kingma, "Learning sparse neural networks through L0 regularization", ICLR 2018: their temperature and stretch. */
const temperature = 2 / 3;
const low = -0.1;
const high = 1.1;

/** A gate that was drawn, and its derivative by the logarithm of its location. */
export interface Gate {
  /** In [0, 1], each end with a probability of its own. */
  readonly value: number;
  readonly slope: number;
}

/**
 * A hard-concrete gate: a relaxed Bernoulli variable, stretched beyond [0, 1] and cut off there.
 * @param location log alpha: the higher, the likelier the gate is open @param uniform drawn from [0, 1)
 */
export function hardConcrete(location: number, uniform: number): Gate {
  const s = logistic((logit(uniform) + location) / temperature);
  const stretched = s * (high - low) + low;
  if (stretched <= 0) return { value: 0, slope: 0 };
  if (stretched >= 1) return { value: 1, slope: 0 };
  return { value: stretched, slope: ((high - low) * s * (1 - s)) / temperature };
}

/** P(gate > 0), what its L0 penalty is in the mean, and its derivative by the location. */
export function openProbability(location: number): Gate {
  const value = logistic(location - temperature * Math.log(-low / high));
  return { value, slope: value * (1 - value) };
}

/** Of numbers that may be 0. */
function logit(uniform: number): number {
  const inside = Math.max(uniform, 2 ** -33);
  return Math.log(inside / (1 - inside));
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
