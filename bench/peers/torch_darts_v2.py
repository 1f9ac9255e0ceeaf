#!/usr/bin/env python3
"""Times one training step of the discrete DARTS_V2 network in eager PyTorch (the peer to beat).

16 channels and 8 cells by default, without auxiliary head and drop path. SGD with momentum 0.9, weight decay 3e-4 and
gradients clipped to norm 5, as Liu et al. 2019 train it. Options and output are those of torch_nb201.py.
"""

import argparse
import json
import resource
import statistics
import time

import torch
from torch import nn
import torch.nn.functional as F

from networks import DartsNetwork

p = argparse.ArgumentParser()
p.add_argument("--batch", type=int, default=64)
p.add_argument("--channels", type=int, default=16)
p.add_argument("--layers", type=int, default=8)
p.add_argument("--size", type=int, default=32)
p.add_argument("--steps", type=int, default=7)
p.add_argument("--threads", type=int, default=2)
p.add_argument("--channels-last", action="store_true")
p.add_argument("--compile", action="store_true")
a = p.parse_args()
torch.manual_seed(0)
torch.set_num_threads(a.threads)
net = DartsNetwork(a.channels, a.layers)
sgd = torch.optim.SGD(net.parameters(), 0.025, momentum=0.9, weight_decay=3e-4)
x, y = torch.randn(a.batch, 3, a.size, a.size), torch.randint(0, 10, (a.batch,))
if a.channels_last:
    net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
forward = torch.compile(net) if a.compile else net


def step():
    start = time.perf_counter()
    sgd.zero_grad()
    F.cross_entropy(forward(x), y).backward()
    nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    sgd.step()
    return time.perf_counter() - start


step()
seconds = statistics.median(step() for _ in range(a.steps))
params = sum(q.numel() for q in net.parameters())
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps(dict(torch=torch.__version__, params=params, **vars(a), step_s=round(seconds, 4), peak_rss_mib=peak)))
