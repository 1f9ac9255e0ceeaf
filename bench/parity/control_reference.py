"""Trajectories of Gymnasium's classic environments: one JSON line an environment and policy. See control.ts."""
import json, sys
import gymnasium as gym
import numpy as np

STEPS = int(sys.argv[1])


def push(name, state):
    """The direction that a driven policy pushes in: with it, goals are reached, and the pole stands for longer."""
    if name == 'CartPole-v1':
        return 1 if state[2] + 0.3 * state[3] > 0 else -1
    if name == 'Acrobot-v1':
        return 1 if state[3] > 0 else -1
    return 1 if state[1] >= 0 else -1


def act(name, space, state, policy, random):
    # A pole that stands for long makes a difference of one rounding grow without limit when actions are replayed.
    driven = policy == 'driven' and random.random() < (0.3 if name == 'CartPole-v1' else 0.8)
    if isinstance(space, gym.spaces.Discrete):
        return int((push(name, state) + 1) // 2 * (space.n - 1) if driven else random.integers(space.n))
    # Multiples of 1/64, which float32 holds exactly.
    most = float(space.high[0])
    return push(name, state) * most if driven else int(random.integers(-64, 65)) / 64 * most


for name in ['CartPole-v1', 'Acrobot-v1', 'MountainCar-v0', 'MountainCarContinuous-v0', 'Pendulum-v1']:
    for policy in ['random', 'driven']:
        env = gym.make(name)
        random = np.random.default_rng(17)
        episodes = []
        left = STEPS
        while left > 0:
            env.reset(seed=1000 + len(episodes))
            episode = {'start': [float(v) for v in env.unwrapped.state], 'actions': [], 'states': [], 'observations': []}
            total, terminated, truncated = 0.0, False, False
            while left > 0 and not (terminated or truncated):
                action = act(name, env.action_space, env.unwrapped.state, policy, random)
                discrete = isinstance(env.action_space, gym.spaces.Discrete)
                given = action if discrete else np.array([action], dtype=np.float32)
                seen, reward, terminated, truncated, _ = env.step(given)
                total += float(reward)
                left -= 1
                episode['actions'].append(action)
                episode['states'].append([float(v) for v in env.unwrapped.state])
                episode['observations'].append([float(v) for v in seen])
            episode.update({'return': total, 'terminated': bool(terminated), 'truncated': bool(truncated)})
            episodes.append(episode)
        print(json.dumps({'name': name, 'policy': policy, 'version': gym.__version__, 'episodes': episodes}))
