"""PyTorch's side of supernet-parity.ts: loss and gradients of the DARTS supernet of torch_supernet.py on one batch.

Usage: python supernet_reference.py DIR PEERS, where PEERS holds torch_supernet.py and DIR what supernet-parity.ts wrote:
  supernet.json  settings; for each parameter its path and shape, in order, the architecture's last; the decisions of
                 the architecture's rows; likewise the statistics of batch norm
  weights.bin    float32, the parameters one after another
  images.bin     float32, [batch, 3, size, size]
  targets.bin    float32, [batch, classes], one-hot
Writes gradients.bin and statistics.bin (float32, in order) and prints the loss as JSON.

torch_supernet.py measures when it is imported, so only its definitions, above its argument parser, are executed.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

OPERATIONS = [
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
]
NAMES = {
    "first": "a",
    "second": "b",
    "runningMean": "running_mean",
    "runningVariance": "running_var",
}


def definitions(peers):
    source = (Path(peers) / "torch_supernet.py").read_text()
    above, found, _ = source.partition("\np = argparse.ArgumentParser()")
    if not found:
        raise SystemExit("torch_supernet.py has no argument parser where its definitions end")
    names = {}
    exec(compile(above, "torch_supernet.py", "exec"), names)
    return names


def edge_index(source, to):
    return sum(range(2, to)) + source


def torch_name(path):
    """Netsmith's path of a parameter -> its name in the peer."""

    def layers(rest):
        # A factorized reduction is a module of its own there, and has names for its parts.
        rest = re.sub(r"^(0/)?(running\w+)$", r"bn/\2", rest)
        rest = re.sub(r"^(0/)?(first|second)/", lambda half: NAMES[half[2]] + "/", rest)
        return re.sub(r"running\w+", lambda name: NAMES[name.group()], rest).replace("/", ".")

    if match := re.fullmatch(r"([01])/(\w+)", path):
        return f"stem.{match[1]}.{NAMES.get(match[2], match[2])}"
    if match := re.fullmatch(r"4/(weight|bias)", path):
        return f"head.{match[1]}"
    if match := re.fullmatch(r"2/(\d+)/([01])/(.+)", path):
        return f"cells.{match[1]}.pre{match[2]}.{layers(match[3])}"
    if match := re.fullmatch(r"2/(\d+)/(\d)->(\d)/(\w+)/(.+)", path):
        edge = edge_index(int(match[2]), int(match[3]))
        return f"cells.{match[1]}.edges.{edge}.ops.{OPERATIONS.index(match[4])}.{layers(match[5])}"
    raise SystemExit(f"no parameter of the peer is known for {path}")


def decision_place(name):
    """normal/0->2 -> (0, 0): the row's place in the peer's alphas."""
    cell, source, to = re.fullmatch(r"(normal|reduce)/(\d)->(\d)", name).groups()
    return ["normal", "reduce"].index(cell), edge_index(int(source), int(to))


def main():
    folder, peers = Path(sys.argv[1]), sys.argv[2]
    settings = json.loads((folder / "supernet.json").read_text())
    dtype = getattr(torch, settings["format"])
    torch.set_num_threads(settings["threads"])
    network = definitions(peers)["Supernet"](settings["channels"], settings["cells"], settings["classes"])
    own = dict(network.named_parameters())
    flat = np.fromfile(folder / "weights.bin", np.float32)
    alphas = [torch.zeros_like(alpha) for alpha in network.alphas]
    decisions = iter(settings["decisions"])
    start, read = 0, []  # read: for each parameter, how its gradient is found
    for parameter in settings["parameters"]:
        path, shape = parameter["path"], parameter["shape"]
        size = int(np.prod(shape))
        values = torch.from_numpy(flat[start : start + size].reshape(shape))
        start += size
        if path.startswith("architecture:"):
            places = [decision_place(name) for name in next(decisions)]
            for (cell, row), value in zip(places, values):
                alphas[cell][row] = value
            read.append(lambda places=places: torch.stack([network.alphas[cell].grad[row] for cell, row in places]))
            continue
        tensor = own.pop(torch_name(path))
        if list(tensor.shape) != shape:
            raise SystemExit(f"{path}: {list(tensor.shape)} here, {shape} there")
        tensor.data.copy_(values)
        read.append(lambda tensor=tensor: tensor.grad)
    if own or start != flat.size:
        raise SystemExit(f"left over: {sorted(own)}, {flat.size - start} values")
    network = network.to(dtype)
    network.alphas = [alpha.to(dtype).requires_grad_() for alpha in alphas]
    images = np.fromfile(folder / "images.bin", np.float32)
    images = images.reshape(settings["batch"], 3, settings["size"], settings["size"])
    targets = np.fromfile(folder / "targets.bin", np.float32).reshape(settings["batch"], settings["classes"])
    output = network(torch.from_numpy(images).to(dtype))
    loss = nn.functional.cross_entropy(output, torch.from_numpy(targets).argmax(1))
    loss.backward()
    gradients = torch.cat([gradient().flatten() for gradient in read]).to(torch.float32)
    gradients.numpy().tofile(folder / "gradients.bin")
    buffers = dict(network.named_buffers())
    statistics = [buffers[torch_name(one["path"])].flatten() for one in settings["statistics"]]
    torch.cat(statistics).to(torch.float32).numpy().tofile(folder / "statistics.bin")
    print(json.dumps({"loss": loss.item(), "torch": torch.__version__}))


if __name__ == "__main__":
    main()
