"""A plain hand-written ResNet (16, 32, 64 channels), SGD with Nesterov momentum, one cycle of the rate over the wall clock.

python torch_resnet.py --data FOLDER --budget SECONDS [--aug] [--blocks 1] [--seed 0]; 1 block a stage is ResNet-8."""
import time

T0 = time.time()
import argparse
import json

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from user_data import load

ap = argparse.ArgumentParser()
ap.add_argument("--data")
ap.add_argument("--budget", type=float)
ap.add_argument("--aug", action="store_true")
ap.add_argument("--batch", type=int, default=128)
ap.add_argument("--lr", type=float, default=0.1)
ap.add_argument("--width", type=int, default=16)
ap.add_argument("--blocks", type=int, default=1)
ap.add_argument("--seed", type=int, default=0)
A = ap.parse_args()
torch.set_num_threads(1)
torch.manual_seed(A.seed)
xtr, ytr, xte, yte = load(A.data)
mean = xtr.mean((0, 2, 3), keepdims=True, dtype=np.float64)
std = xtr.std((0, 2, 3), keepdims=True, dtype=np.float64)


def prep(x):
    return torch.from_numpy(((x - mean) / std).astype(np.float32)).contiguous(memory_format=torch.channels_last)


X, Y, XT, YT = prep(xtr), torch.from_numpy(ytr), prep(xte), torch.from_numpy(yte)
s = X.shape[-1]


def conv(i, o, k, st=1):
    return nn.Sequential(nn.Conv2d(i, o, k, st, k // 2, bias=False), nn.BatchNorm2d(o))


class Block(nn.Module):
    def __init__(self, i, o, st):
        super().__init__()
        self.f = nn.Sequential(conv(i, o, 3, st), nn.ReLU(), conv(o, o, 3))
        self.g = conv(i, o, 1, st) if st > 1 or i != o else nn.Identity()

    def forward(self, x):
        return F.relu(self.f(x) + self.g(x))


w = c = A.width
mods = [conv(X.shape[1], w, 3), nn.ReLU()]
for stage, o in enumerate([w, 2 * w, 4 * w]):
    for b in range(A.blocks):
        mods.append(Block(c, o, 2 if stage and not b else 1))
        c = o
net = nn.Sequential(*mods, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, int(ytr.max()) + 1))
net = net.to(memory_format=torch.channels_last)


def augment(x):
    if not A.aug:
        return x
    x = torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(3), x)
    p = F.pad(x, (4, 4, 4, 4))
    dy, dx = torch.randint(0, 9, (2, len(x)))
    return torch.stack([p[i, :, dy[i] : dy[i] + s, dx[i] : dx[i] + s] for i in range(len(x))]).contiguous(
        memory_format=torch.channels_last
    )


opt = torch.optim.SGD(net.parameters(), lr=A.lr, momentum=0.9, nesterov=True, weight_decay=5e-4)
start, end, steps, f = time.time(), T0 + A.budget - 4, 0, 0
while f < 1:
    for b in torch.randperm(len(X)).split(A.batch):
        f = (time.time() - start) / max(end - start, 1)
        if f >= 1:
            break
        lr = A.lr * (f / 0.15 if f < 0.15 else 0.5 * (1 + np.cos(np.pi * (f - 0.15) / 0.85)))
        for g in opt.param_groups:
            g["lr"] = max(lr, 1e-4)
        opt.zero_grad()
        F.cross_entropy(net(augment(X[b])), Y[b]).backward()
        opt.step()
        steps += 1
net.eval()
with torch.no_grad():
    hits = sum((net(XT[i : i + 500]).argmax(1) == YT[i : i + 500]).sum().item() for i in range(0, len(XT), 500))
epochs = round(steps * A.batch / len(X), 2)
print("RESULT", json.dumps(dict(test=hits / len(XT), params=sum(q.numel() for q in net.parameters()), epochs=epochs)))
