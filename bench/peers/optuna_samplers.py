"""One of Optuna's samplers on a table of six decisions with five values each.

    python optuna_samplers.py SAMPLER TRIALS SECONDS SEED < VALUES

VALUES: a JSON list of 15,625 values to maximise, in the order of an odometer. Ends after TRIALS or SECONDS. Prints one JSON line:
the milliseconds of each trial (ask, suggest, tell; storage in memory), the best value and Optuna's version.
"""

import json
import sys
import time
import warnings

import optuna

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
name, most, limit, seed = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
values = json.load(sys.stdin)
samplers = {
    "random": lambda: optuna.samplers.RandomSampler(seed=seed),
    "tpe": lambda: optuna.samplers.TPESampler(seed=seed),
    "tpe-multivariate": lambda: optuna.samplers.TPESampler(seed=seed, multivariate=True),
    "gp": lambda: optuna.samplers.GPSampler(seed=seed),
    "nsga2": lambda: optuna.samplers.NSGAIISampler(seed=seed),
}
study = optuna.create_study(direction="maximize", sampler=samplers[name]())
times = []
start = time.perf_counter()
while len(times) < most and time.perf_counter() - start < limit:
    before = time.perf_counter()
    trial = study.ask()
    row = 0
    for edge in range(6):
        row = 5 * row + trial.suggest_categorical(f"edge {edge}", [0, 1, 2, 3, 4])
    study.tell(trial, values[row])
    times.append(1000 * (time.perf_counter() - before))
print(json.dumps({"times": times, "best": max(values[0:1] + [t.value for t in study.trials]), "version": optuna.__version__}))
