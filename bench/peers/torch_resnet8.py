#!/usr/bin/env python3
"""Times an epoch of ResNet-8 (16, 32, 64 channels) in eager PyTorch, as ../../shared/peers/torch_resnet8.py trains it.

SGD with Nesterov momentum 0.9 and weight decay 5e-4 on random images that lie normalized in memory. Each epoch shuffles
them and takes whole batches; --augment crops and flips them. --steps is the number of timed epochs after a first one,
epoch_s their median, epoch_cpu_s the median of their processor time. Other options and output are those of torch_nb201.py.
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
p.add_argument("--images", type=int, default=2560)
p.add_argument("--augment", action="store_true")
p.add_argument("--steps", type=int, default=3)
p.add_argument("--threads", type=int, default=1)
p.add_argument("--channels-last", action="store_true")
p.add_argument("--compile", action="store_true")
a = p.parse_args()
torch.manual_seed(0)
torch.set_num_threads(a.threads)
net = resnet8(a.colors, a.channels)
sgd = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
images, labels = torch.randn(a.images, a.colors, a.size, a.size), torch.randint(0, 10, (a.images,))
if a.channels_last:
    net = net.to(memory_format=torch.channels_last)
    images = images.contiguous(memory_format=torch.channels_last)
forward = torch.compile(net) if a.compile else net


def augmented(x):
    """A crop out of the image padded by 4 on each side, mirrored half of the time."""
    x = torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(3), x)
    padded = F.pad(x, (4, 4, 4, 4))
    top, left = torch.randint(0, 9, (2, len(x))).tolist()
    crops = [padded[i, :, t : t + a.size, l : l + a.size] for i, (t, l) in enumerate(zip(top, left))]
    form = torch.channels_last if a.channels_last else torch.contiguous_format
    return torch.stack(crops).contiguous(memory_format=form)


def epoch():
    start, used = time.perf_counter(), time.process_time()
    for batch in torch.randperm(a.images)[: a.images // a.batch * a.batch].split(a.batch):
        x = augmented(images[batch]) if a.augment else images[batch]
        sgd.zero_grad()
        F.cross_entropy(forward(x), labels[batch]).backward()
        sgd.step()
    return time.perf_counter() - start, time.process_time() - used


epoch()
wall, cpu = (statistics.median(seconds) for seconds in zip(*(epoch() for _ in range(a.steps))))
params = sum(q.numel() for q in net.parameters())
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
seconds = dict(epoch_s=round(wall, 4), epoch_cpu_s=round(cpu, 4))
print(json.dumps(dict(torch=torch.__version__, params=params, **vars(a), **seconds, peak_rss_mib=peak)))
