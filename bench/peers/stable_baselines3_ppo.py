"""Stable-Baselines3's PPO on an environment of Gymnasium, with one thread: python stable_baselines3_ppo.py '{"environment": "CartPole-v1", ...}'.

bench/control/policies.ts --python calls it with the settings that Netsmith's PPO has. The final policy plays 100 fresh episodes by greedy
actions; prints {return, success, steps, wallSeconds, cpuSeconds} as JSON; an episode succeeds
whose return is at least `goal`. Needs stable-baselines3 (PyPI).
"""
import json
import sys
import time

import gymnasium as gym
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env

asked = json.loads(sys.argv[1])
torch.set_num_threads(1)
rate = asked['learningRate']
envs = make_vec_env(asked['environment'], n_envs=asked['lanes'], seed=asked['seed'])
model = PPO(
    'MlpPolicy',
    envs,
    n_steps=asked['rollout'],
    batch_size=asked['batchSize'],
    n_epochs=asked['passes'],
    gamma=asked['discount'],
    gae_lambda=asked['lambda'],
    learning_rate=(lambda left: rate * left) if asked['schedule'] == 'linear' else rate,
    policy_kwargs={'net_arch': [asked['width'], asked['width']]},
    seed=asked['seed'],
    device='cpu',
)
wall, cpu = time.perf_counter(), time.process_time()
model.learn(asked['steps'])
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu

env = gym.make(asked['environment'])
returns = []
for episode in range(100):
    observation, _ = env.reset(seed=1_000_000 + episode)
    total, ended = 0.0, False
    while not ended:
        action, _ = model.predict(observation, deterministic=True)
        observation, reward, terminated, truncated, _ = env.step(action)
        total += float(reward)
        ended = terminated or truncated
    returns.append(total)
success = sum(total >= asked['goal'] for total in returns) / len(returns)
print(json.dumps({'return': sum(returns) / len(returns), 'success': success, 'steps': model.num_timesteps, 'wallSeconds': wall, 'cpuSeconds': cpu}))
