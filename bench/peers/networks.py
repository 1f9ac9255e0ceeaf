"""The networks that torch_darts_v2.py and torch_inference.py time, written from the papers.

DARTS_V2: the discrete cells of Liu et al. 2019 (arXiv:1806.09055), figures 4 and 5, without auxiliary head and drop path.
NAS-Bench-201: Dong & Yang 2020 (arXiv:2001.00326).
"""

import torch
from torch import nn
import torch.nn.functional as F

# (operation, input) twice for each of the nodes 2 to 5; inputs 0 and 1 are the two cells before.
DARTS_V2 = {
    "normal": [
        ("sep_conv_3x3", 0), ("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("sep_conv_3x3", 1),
        ("sep_conv_3x3", 1), ("skip_connect", 0), ("skip_connect", 0), ("dil_conv_3x3", 2),
    ],
    "reduce": [
        ("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 1),
        ("max_pool_3x3", 0), ("skip_connect", 2), ("skip_connect", 2), ("max_pool_3x3", 1),
    ],
}
ARCHITECTURE = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"


def relu_conv_bn(cin, cout, kernel, stride=1):
    return nn.Sequential(
        nn.ReLU(), nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(cout)
    )


def depthwise_stage(cin, cout, kernel, stride, dilation):
    return [
        nn.ReLU(),
        nn.Conv2d(cin, cin, kernel, stride, kernel // 2 * dilation, dilation, groups=cin, bias=False),
        nn.Conv2d(cin, cout, 1, bias=False),
        nn.BatchNorm2d(cout),
    ]


class FactorizedReduce(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.a = nn.Conv2d(cin, cout // 2, 1, 2, bias=False)
        self.b = nn.Conv2d(cin, cout // 2, 1, 2, bias=False)
        self.bn = nn.BatchNorm2d(cout)

    def forward(self, x):
        x = F.relu(x)
        return self.bn(torch.cat([self.a(x), self.b(x[:, :, 1:, 1:])], 1))


def operation(name, c, stride):
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else FactorizedReduce(c, c)
    if name == "max_pool_3x3":
        return nn.MaxPool2d(3, stride, 1)
    if name == "sep_conv_3x3":
        return nn.Sequential(*depthwise_stage(c, c, 3, stride, 1), *depthwise_stage(c, c, 3, 1, 1))
    if name == "dil_conv_3x3":
        return nn.Sequential(*depthwise_stage(c, c, 3, stride, 2))
    raise SystemExit(f"no operation {name}")


class DartsCell(nn.Module):
    def __init__(self, cpp, cp, c, reduction, reduction_prev):
        super().__init__()
        self.pre0 = FactorizedReduce(cpp, c) if reduction_prev else relu_conv_bn(cpp, c, 1)
        self.pre1 = relu_conv_bn(cp, c, 1)
        genotype = DARTS_V2["reduce" if reduction else "normal"]
        self.sources = [source for _, source in genotype]
        self.ops = nn.ModuleList(
            operation(name, c, 2 if reduction and source < 2 else 1) for name, source in genotype
        )

    def forward(self, s0, s1):
        states = [self.pre0(s0), self.pre1(s1)]
        for i in range(0, len(self.ops), 2):
            states.append(sum(self.ops[k](states[self.sources[k]]) for k in (i, i + 1)))
        return torch.cat(states[2:], 1)


class DartsNetwork(nn.Module):
    def __init__(self, channels=16, layers=8, classes=10):
        super().__init__()
        c = 3 * channels
        self.stem = nn.Sequential(nn.Conv2d(3, c, 3, padding=1, bias=False), nn.BatchNorm2d(c))
        cpp, cp, c, previous, self.cells = c, c, channels, False, nn.ModuleList()
        for i in range(layers):
            reduction = i in (layers // 3, 2 * layers // 3)
            c *= 2 if reduction else 1
            self.cells.append(DartsCell(cpp, cp, c, reduction, previous))
            cpp, cp, previous = cp, 4 * c, reduction
        self.head = nn.Linear(cp, classes)

    def forward(self, x):
        s0 = s1 = self.stem(x)
        for cell in self.cells:
            s0, s1 = s1, cell(s0, s1)
        return self.head(s1.mean((2, 3)))


class Zero(nn.Module):
    def forward(self, x):
        return x * 0.0


class BenchCell(nn.Module):
    OPERATIONS = {
        "none": lambda c: Zero(),
        "skip_connect": lambda c: nn.Identity(),
        "nor_conv_1x1": lambda c: relu_conv_bn(c, c, 1),
        "nor_conv_3x3": lambda c: relu_conv_bn(c, c, 3),
        "avg_pool_3x3": lambda c: nn.AvgPool2d(3, 1, 1, count_include_pad=False),
    }

    def __init__(self, architecture, c):
        super().__init__()
        self.nodes = nn.ModuleList(
            nn.ModuleList(self.OPERATIONS[edge.split("~")[0]](c) for edge in node.strip("|").split("|"))
            for node in architecture.split("+")
        )

    def forward(self, x):
        states = [x]
        for node in self.nodes:
            states.append(sum(op(state) for op, state in zip(node, states)))
        return states[-1]


class ResidualReduce(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.a, self.b = relu_conv_bn(cin, cout, 3, 2), relu_conv_bn(cout, cout, 3)
        self.skip = nn.Sequential(nn.AvgPool2d(2, 2), nn.Conv2d(cin, cout, 1, bias=False))

    def forward(self, x):
        return self.skip(x) + self.b(self.a(x))


def nas_bench_201(channels=16, cells=5, classes=10):
    c = channels
    layers = [nn.Conv2d(3, c, 3, padding=1, bias=False), nn.BatchNorm2d(c)]
    for stage in range(3):
        if stage:
            layers.append(ResidualReduce(c, 2 * c))
            c *= 2
        layers += [BenchCell(ARCHITECTURE, c) for _ in range(cells)]
    return nn.Sequential(
        *layers, nn.BatchNorm2d(c), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, classes)
    )


class BasicBlock(nn.Module):
    """Of He et al. 2016; where the shape changes, the shortcut is a 1x1 convolution with batch norm."""

    def __init__(self, i, o, stride):
        super().__init__()

        def convolution(i, o, kernel, stride=1):
            return nn.Sequential(nn.Conv2d(i, o, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(o))

        self.body = nn.Sequential(convolution(i, o, 3, stride), nn.ReLU(), convolution(o, o, 3))
        self.shortcut = convolution(i, o, 1, stride) if stride > 1 or i != o else nn.Identity()

    def forward(self, x):
        return torch.relu(self.body(x) + self.shortcut(x))


def resnet8(colors, channels):
    """3 stages of one block each, on images of this many colors."""
    c = channels
    stem = [nn.Conv2d(colors, c, 3, 1, 1, bias=False), nn.BatchNorm2d(c), nn.ReLU()]
    stages = [BasicBlock(c, c, 1), BasicBlock(c, 2 * c, 2), BasicBlock(2 * c, 4 * c, 2)]
    return nn.Sequential(*stem, *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * c, 10))
