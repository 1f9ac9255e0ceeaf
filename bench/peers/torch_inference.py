#!/usr/bin/env python3
"""Times inference in PyTorch (the peer to beat): batch norm folded into the convolutions, eval mode, no gradients.

A batch norm that no convolution precedes (the last one of NAS-Bench-201) stays. Options and output are those of
torch_nb201.py; `--network` says which network, at 16 channels and 5 or 8 cells. `--steps` counts runs.
"""

import argparse
import json
import resource
import statistics
import time

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from networks import DartsNetwork, FactorizedReduce, nas_bench_201

NETWORKS = {"nas-bench-201": nas_bench_201, "darts-v2": DartsNetwork}


def part(bn, channels):
    """The batch norm of some of its channels."""
    own = nn.BatchNorm2d(channels.stop - channels.start, bn.eps).eval()
    for name in ("weight", "bias", "running_mean", "running_var"):
        getattr(own, name).data.copy_(getattr(bn, name).data[channels])
    return own


def fold(module):
    """Folds every batch norm that follows a convolution, in place. Returns how many are left."""
    if isinstance(module, FactorizedReduce):
        half = module.a.out_channels
        module.a = fuse_conv_bn_eval(module.a, part(module.bn, slice(0, half)))
        module.b = fuse_conv_bn_eval(module.b, part(module.bn, slice(half, 2 * half)))
        module.bn = nn.Identity()
    if isinstance(module, nn.Sequential):
        for i in range(1, len(module)):
            if isinstance(module[i], nn.BatchNorm2d) and isinstance(module[i - 1], nn.Conv2d):
                module[i - 1] = fuse_conv_bn_eval(module[i - 1], module[i])
                module[i] = nn.Identity()
    for child in module.children():
        fold(child)
    return sum(isinstance(m, nn.BatchNorm2d) for m in module.modules())


p = argparse.ArgumentParser()
p.add_argument("--network", choices=NETWORKS, default="nas-bench-201")
p.add_argument("--batch", type=int, default=64)
p.add_argument("--size", type=int, default=32)
p.add_argument("--steps", type=int, default=20)
p.add_argument("--threads", type=int, default=2)
p.add_argument("--channels-last", action="store_true")
p.add_argument("--compile", action="store_true")
a = p.parse_args()
torch.manual_seed(0)
torch.set_num_threads(a.threads)
net = NETWORKS[a.network]()
params = sum(q.numel() for q in net.parameters())
net.eval()
x = torch.randn(a.batch, 3, a.size, a.size)
with torch.no_grad():
    before = net(x)
    left = fold(net)
    if not torch.allclose(net(x), before, rtol=1e-3, atol=1e-4):
        raise SystemExit("the folded network gives something else")
    if a.channels_last:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    forward = torch.compile(net) if a.compile else net

    def step():
        start = time.perf_counter()
        forward(x).softmax(1)
        return time.perf_counter() - start

    for _ in range(3):
        step()
    seconds = statistics.median(step() for _ in range(a.steps))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(
    json.dumps(
        dict(torch=torch.__version__, params=params, batch_norms_left=left, **vars(a), step_s=round(seconds, 6), peak_rss_mib=peak)
    )
)
