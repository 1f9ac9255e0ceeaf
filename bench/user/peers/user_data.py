"""The arrays of a contest, written by bench/user/data.ts: uint8 images [N, C, H, W] and int64 classes [N], training first."""
import os

import numpy as np


def load(folder):
    return tuple(np.load(os.path.join(folder, f"{part}-{what}.npy")) for part in ("train", "test") for what in ("x", "y"))
