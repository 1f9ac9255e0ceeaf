"""In the style of optuna-examples/pytorch/pytorch_simple.py: TPE + MedianPruner over a CNN, then the best is trained on train + valid.

python optuna_cnn.py --data FOLDER --budget SECONDS [--aug] [--seed 0]"""
import time

T0 = time.time()
import argparse
import json

import numpy as np
import optuna
import torch
import torch.nn as nn
import torch.nn.functional as F
from user_data import load

ap = argparse.ArgumentParser()
ap.add_argument("--data")
ap.add_argument("--budget", type=float)
ap.add_argument("--share", type=float, default=0.45)
ap.add_argument("--subset", type=int, default=12000)
ap.add_argument("--epochs", type=int, default=3)
ap.add_argument("--aug", action="store_true")
ap.add_argument("--batch", type=int, default=64)
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
C, n, s = X.shape[1], len(X), X.shape[-1]
perm = torch.from_numpy(np.random.default_rng(A.seed).permutation(n))
nv = min(5000, n // 5)
valid, train = perm[:nv], perm[nv:][: A.subset]


def build(p):
    layers, c = [], C
    for i in range(p["blocks"]):
        w = p[f"width{i}"]
        for _ in range(p["depth"]):
            k = p["kernel"]
            layers += [nn.Conv2d(c, w, k, padding=k // 2, bias=False), nn.BatchNorm2d(w), nn.ReLU()]
            c = w
        if s >> i >= 4:
            layers += [nn.MaxPool2d(2)]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(p["dropout"]), nn.Linear(c, int(ytr.max()) + 1)]
    return nn.Sequential(*layers, *head).to(memory_format=torch.channels_last)


def augment(x):
    if not A.aug:
        return x
    x = torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(3), x)
    p = F.pad(x, (4, 4, 4, 4))
    dy, dx = torch.randint(0, 9, (2, len(x)))
    return torch.stack([p[i, :, dy[i] : dy[i] + s, dx[i] : dx[i] + s] for i in range(len(x))]).contiguous(
        memory_format=torch.channels_last
    )


def accuracy(net, x, y):
    net.eval()
    with torch.no_grad():
        hits = sum((net(x[i : i + 500]).argmax(1) == y[i : i + 500]).sum().item() for i in range(0, len(x), 500))
    return hits / len(x)


def fit(net, p, rows, epochs, after=lambda e: None):
    opt = torch.optim.AdamW(net.parameters(), lr=p["lr"], weight_decay=p["wd"])
    steps = -(-len(rows) // A.batch) * epochs
    sch = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=p["lr"], total_steps=steps, pct_start=0.2)
    for e in range(epochs):
        net.train()
        for b in rows[torch.randperm(len(rows))].split(A.batch):
            opt.zero_grad()
            F.cross_entropy(net(augment(X[b])), Y[b]).backward()
            opt.step()
            sch.step()
        after(e)


def objective(trial):
    p = dict(
        blocks=trial.suggest_int("blocks", 2, 4),
        depth=trial.suggest_int("depth", 1, 2),
        kernel=trial.suggest_categorical("kernel", [3, 5]),
        dropout=trial.suggest_float("dropout", 0, 0.4),
        lr=trial.suggest_float("lr", 5e-4, 2e-2, log=True),
        wd=trial.suggest_float("wd", 1e-5, 1e-1, log=True),
    )
    for i in range(p["blocks"]):
        p[f"width{i}"] = trial.suggest_categorical(f"width{i}", [16, 32, 48, 64])
    net, acc, t, seen = build(p), 0, time.time(), []

    def after(e):
        nonlocal acc
        acc = accuracy(net, X[valid], Y[valid])
        trial.report(acc, e)
        seen.append(time.time() - t)
        trial.set_user_attr("sec_per_sample", seen[-1] / (len(seen) * len(train)))
        if trial.should_prune() or time.time() - T0 > A.budget * A.share * 1.25:
            raise optuna.TrialPruned()

    fit(net, p, train, A.epochs, after)
    return acc


sampler = optuna.samplers.TPESampler(seed=A.seed)
study = optuna.create_study(
    direction="maximize", sampler=sampler, pruner=optuna.pruners.MedianPruner(n_startup_trials=3)
)
study.optimize(objective, timeout=A.budget * A.share - (time.time() - T0))
best = study.best_trial
per = best.user_attrs["sec_per_sample"] * n
epochs = max(1, int((A.budget - (time.time() - T0) - 4) / per))
net = build(best.params)
fit(net, best.params, perm, epochs)
params = sum(q.numel() for q in net.parameters())
print(
    "RESULT", json.dumps(dict(test=accuracy(net, XT, YT), params=params, epochs=epochs, trials=len(study.trials)))
)
