"""Optuna's multi-objective samplers on a table of six decisions with five values each.

    python optuna_fronts.py SAMPLER TRIALS SEED,SEED,... < VALUES

SAMPLER: nsga2 or motpe (TPESampler, which is multi-objective TPE with several objectives). VALUES: a JSON list of 15,625
[accuracy, latency] or null, in the order of an odometer; null: the trial fails. Prints one JSON line: for each seed the rows
that were evaluated and the CPU seconds, and Optuna's version.
"""

import json
import sys
import time
import warnings

import optuna

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.CRITICAL)
name, trials, seeds = sys.argv[1], int(sys.argv[2]), [int(seed) for seed in sys.argv[3].split(",")]
values = json.load(sys.stdin)
samplers = {
    "nsga2": lambda seed: optuna.samplers.NSGAIISampler(seed=seed),
    "motpe": lambda seed: optuna.samplers.TPESampler(seed=seed),
}
searches = []
for seed in seeds:
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=samplers[name](seed))
    cells = []
    start = time.process_time()
    for _ in range(trials):
        trial = study.ask()
        row = 0
        for edge in range(6):
            row = 5 * row + trial.suggest_categorical(f"edge {edge}", [0, 1, 2, 3, 4])
        if values[row] is None:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, values[row])
            cells.append(row)
    searches.append({"cells": cells, "cpuSeconds": time.process_time() - start})
print(json.dumps({"searches": searches, "version": optuna.__version__}))
