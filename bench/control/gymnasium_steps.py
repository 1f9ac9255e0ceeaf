"""Steps a second of processor time of Gymnasium's CartPole-v1: python gymnasium_steps.py FORM LANES SECONDS. See steps.ts."""
import sys, time
import gymnasium as gym
import numpy as np

form, lanes, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
envs = gym.make_vec('CartPole-v1', num_envs=lanes, vectorization_mode=form)
envs.reset(seed=0)
random = np.random.default_rng(0)
actions = [random.integers(0, 2, lanes) for _ in range(64)]


def run(limit):
    start, steps = time.process_time(), 0
    while time.process_time() - start < limit:
        for chosen in actions[:8]:
            envs.step(chosen)
        steps += 8 * lanes
    return steps / (time.process_time() - start)


run(seconds / 4)
print(run(seconds))
