#!/usr/bin/env python3
"""Times an epoch of ResNet-8 (16, 32, 64 channels) in eager PyTorch, as ../../shared/peers/torch_resnet8.py trains it.

SGD with Nesterov momentum 0.9 and weight decay 5e-4 on random images that lie normalized in memory, shuffled, of which a
batch is gathered each step. --steps is the number of timed steps after a first one; epoch_s is their median times the
steps of an epoch of --images, whole batches only. Other options and output are those of torch_nb201.py.
"""

import argparse
import json
import resource
import statistics
import time

import torch
from torch import nn
import torch.nn.functional as F

from networks import resnet8

p = argparse.ArgumentParser()
p.add_argument("--batch", type=int, default=128)
p.add_argument("--channels", type=int, default=16)
p.add_argument("--colors", type=int, default=3)
p.add_argument("--size", type=int, default=32)
p.add_argument("--images", type=int, default=50000)
p.add_argument("--steps", type=int, default=7)
p.add_argument("--threads", type=int, default=1)
p.add_argument("--channels-last", action="store_true")
p.add_argument("--compile", action="store_true")
a = p.parse_args()
torch.manual_seed(0)
torch.set_num_threads(a.threads)
net = resnet8(a.colors, a.channels)
sgd = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
count = a.batch * (a.steps + 1)
images, labels = torch.randn(count, a.colors, a.size, a.size), torch.randint(0, 10, (count,))
if a.channels_last:
    net = net.to(memory_format=torch.channels_last)
    images = images.contiguous(memory_format=torch.channels_last)
forward = torch.compile(net) if a.compile else net


def step(batch):
    start = time.perf_counter()
    sgd.zero_grad()
    F.cross_entropy(forward(images[batch]), labels[batch]).backward()
    sgd.step()
    return time.perf_counter() - start


first, *batches = torch.randperm(count).split(a.batch)
step(first)
seconds = statistics.median(step(batch) for batch in batches) * (a.images // a.batch)
params = sum(q.numel() for q in net.parameters())
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps(dict(torch=torch.__version__, params=params, **vars(a), epoch_s=round(seconds, 4), peak_rss_mib=peak)))
