"""PyTorch's side of train-parity.ts: the same NAS-Bench-201 network, weights and batches; prints the losses as JSON.

Usage: python torch_reference.py DIR, where DIR holds what train-parity.ts wrote:
  parity.json   settings, and for each parameter its path and shape, in order
  weights.bin   float32, the parameters one after another
  images.bin    uint8, [steps, batch, 3, 32, 32]
  labels.bin    uint8, [steps, batch]

The network is defined here from the paper (Dong & Yang 2020, arXiv:2001.00326) and not from what TypeScript built; only
the names of its modules follow Netsmith's paths, `2/0/0->1/nor_conv_3x3/1/weight`, with dots for slashes.
"""

import json
import platform
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn


def sequential(*children):
    return nn.Sequential(*children)


def relu_conv_bn(channels_in, channels_out, kernel, stride=1):
    return sequential(
        nn.ReLU(),
        nn.Conv2d(channels_in, channels_out, kernel, stride, padding=(kernel - 1) // 2, bias=False),
        nn.BatchNorm2d(channels_out),
    )


class Zero(nn.Module):
    def forward(self, x):
        return torch.zeros_like(x)


def operation(name, channels):
    return {
        "none": Zero,
        "skip_connect": nn.Identity,
        "nor_conv_1x1": lambda: relu_conv_bn(channels, channels, 1),
        "nor_conv_3x3": lambda: relu_conv_bn(channels, channels, 3),
        "avg_pool_3x3": lambda: nn.AvgPool2d(3, 1, padding=1, count_include_pad=False),
    }[name]()


class Cell(nn.Module):
    """Node i is the sum over the earlier nodes j of the operation on edge j->i."""

    def __init__(self, groups, channels):
        super().__init__()
        self.groups = groups
        for to, group in enumerate(groups, start=1):
            for name, source in group:
                self.add_module(f"{source}->{to}", nn.ModuleDict({name: operation(name, channels)}))

    def forward(self, x):
        values = [x]
        for to, group in enumerate(self.groups, start=1):
            edges = dict(self.named_children())
            values.append(sum(edges[f"{source}->{to}"][name](values[source]) for name, source in group))
        return values[-1]


class ResidualReduce(nn.Module):
    def __init__(self, channels_in, channels_out):
        super().__init__()
        self.body = sequential(
            relu_conv_bn(channels_in, channels_out, 3, 2), relu_conv_bn(channels_out, channels_out, 3)
        )
        self.shortcut = sequential(nn.AvgPool2d(2, 2), nn.Conv2d(channels_in, channels_out, 1, bias=False))

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


def parse(text):
    """'|op~0|+|op~0|op~1|...' -> for each node its (operation, source) pairs."""
    return [
        [(part.split("~")[0], int(part.split("~")[1])) for part in group.strip("|").split("|")]
        for group in text.split("+")
    ]


def nas_bench_201(text, classes, channels, cells):
    groups = parse(text)
    stage = lambda width: sequential(*[Cell(groups, width) for _ in range(cells)])
    return sequential(
        nn.Conv2d(3, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        stage(channels),
        ResidualReduce(channels, 2 * channels),
        stage(2 * channels),
        ResidualReduce(2 * channels, 4 * channels),
        stage(4 * channels),
        nn.BatchNorm2d(4 * channels),
        nn.ReLU(),
        sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        nn.Linear(4 * channels, classes),
    )


def load_weights(network, folder, parameters):
    flat = np.fromfile(folder / "weights.bin", np.float32)
    own = dict(network.named_parameters())
    start = 0
    for parameter in parameters:
        name = parameter["path"].replace("/", ".")
        tensor = own.pop(name)
        if list(tensor.shape) != parameter["shape"]:
            raise SystemExit(f"{name}: {list(tensor.shape)} here, {parameter['shape']} there")
        values = flat[start : start + tensor.numel()]
        tensor.data.copy_(torch.from_numpy(values.reshape(parameter["shape"])))
        start += tensor.numel()
    if own or start != flat.size:
        raise SystemExit(f"left over: {sorted(own)}, {flat.size - start} values")


def main():
    folder = Path(sys.argv[1])
    settings = json.loads((folder / "parity.json").read_text())
    torch.set_num_threads(settings["threads"])
    network = nas_bench_201(
        settings["architecture"], settings["classes"], settings["channels"], settings["cells"]
    )
    load_weights(network, folder, settings["parameters"])
    dtype = getattr(torch, settings["format"])
    network = network.to(dtype)
    shape = (settings["steps"], settings["batch"])
    images = np.fromfile(folder / "images.bin", np.uint8).reshape(*shape, 3, 32, 32)
    labels = np.fromfile(folder / "labels.bin", np.uint8).reshape(shape)
    mean = torch.tensor(settings["mean"], dtype=dtype).view(1, 3, 1, 1)
    deviation = torch.tensor(settings["deviation"], dtype=dtype).view(1, 3, 1, 1)
    optimizer = torch.optim.SGD(
        network.parameters(),
        lr=settings["learningRate"],
        momentum=settings["momentum"],
        nesterov=True,
        weight_decay=settings["weightDecay"],
    )
    network.train()
    losses = []
    for x, y in zip(images, labels):
        x = (torch.from_numpy(x).to(dtype) - mean) / deviation
        loss = nn.functional.cross_entropy(network(x), torch.from_numpy(y).long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    count = sum(parameter.numel() for parameter in network.parameters())
    versions = {"torch": torch.__version__, "python": platform.python_version()}
    print(json.dumps({"losses": losses, "parameters": count, "versions": versions}))


if __name__ == "__main__":
    main()
