"""KerasTuner's Hyperband over a small CNN (PyTorch backend), then the best settings on train + valid for the time left.

python keras_hyperband.py --data FOLDER --budget SECONDS [--seed 0]"""
import time

T0 = time.time()
import argparse
import json
import os
import tempfile

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras
import keras_tuner
import torch
from user_data import load

ap = argparse.ArgumentParser()
ap.add_argument("--data")
ap.add_argument("--budget", type=float)
ap.add_argument("--share", type=float, default=0.5)
ap.add_argument("--seed", type=int, default=0)
A = ap.parse_args()
torch.set_num_threads(1)
keras.utils.set_random_seed(A.seed)
xtr, ytr, xte, yte = load(A.data)
top = float(xtr.max())
X, XT = xtr.transpose(0, 2, 3, 1).astype("float32") / top, xte.transpose(0, 2, 3, 1).astype("float32") / top
n = len(X)
nv = min(5000, n // 5)


def build(hp):
    net = keras.Sequential([keras.Input(X.shape[1:])])
    for i in range(hp.Int("blocks", 1, 3)):
        net.add(keras.layers.Conv2D(hp.Choice(f"width{i}", [16, 32, 48, 64]), 3, padding="same", use_bias=False))
        net.add(keras.layers.BatchNormalization())
        net.add(keras.layers.ReLU())
        if X.shape[1] >> i >= 4:
            net.add(keras.layers.MaxPooling2D(2))
    net.add(keras.layers.GlobalAveragePooling2D())
    net.add(keras.layers.Dropout(hp.Float("dropout", 0, 0.4)))
    net.add(keras.layers.Dense(int(ytr.max()) + 1, activation="softmax"))
    rate = hp.Float("lr", 5e-4, 2e-2, sampling="log")
    net.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net


class Until(keras.callbacks.Callback):
    """Ends a training when the time of the search is over."""

    def __init__(self, end):
        super().__init__()
        self.end = end

    def on_epoch_end(self, epoch, logs=None):
        if time.time() > self.end:
            self.model.stop_training = True


class Tuner(keras_tuner.Hyperband):
    def on_trial_end(self, trial):
        super().on_trial_end(trial)
        if time.time() > end:
            raise TimeoutError


end = T0 + A.share * A.budget
with tempfile.TemporaryDirectory() as folder:
    tuner = Tuner(build, "val_accuracy", max_epochs=20, seed=A.seed, directory=folder, project_name="contest")
    try:
        tuner.search(
            X[nv:], ytr[nv:], validation_data=(X[:nv], ytr[:nv]), batch_size=64, verbose=0, callbacks=[Until(end)]
        )
    except TimeoutError:
        pass
    net = build(tuner.get_best_hyperparameters()[0])
net.fit(X, ytr, epochs=200, batch_size=64, verbose=0, callbacks=[Until(T0 + A.budget - 6)])
test = net.evaluate(XT, yte, verbose=0, batch_size=256)[1]
print("RESULT", json.dumps(dict(test=float(test), params=net.count_params())))
