"""Tables: scikit-learn's defaults, or FLAML for a time.

python table_peers.py TRAIN TEST LABEL --model boosting|forest|mlp|mlp-early|flaml [--regression] [--budget SECONDS] [--seed 0]"""
import time

T0 = time.time()
import argparse
import json

import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

ap = argparse.ArgumentParser()
ap.add_argument("train")
ap.add_argument("test")
ap.add_argument("label")
ap.add_argument("--model")
ap.add_argument("--regression", action="store_true")
ap.add_argument("--budget", type=float, default=60)
ap.add_argument("--seed", type=int, default=0)
A = ap.parse_args()
reg = A.regression
X, XT = pd.read_csv(A.train), pd.read_csv(A.test)
y, yT = X.pop(A.label), XT.pop(A.label)
for c in X.select_dtypes(exclude="number").columns:
    kinds = pd.CategoricalDtype(sorted(set(X[c].dropna())))
    X[c], XT[c] = X[c].astype(kinds), XT[c].astype(kinds)
if not reg:
    order = {v: i for i, v in enumerate(sorted(y.unique()))}
    y, yT = y.map(order), yT.map(order)
num = list(X.select_dtypes("number").columns)
cat = [c for c in X.columns if c not in num]


def score(p):
    t, p = np.asarray(yT, float), np.asarray(p, float)
    return float(1 - ((t - p) ** 2).sum() / ((t - t.mean()) ** 2).sum()) if reg else float((t == p).mean())


def encoded(model):
    """One-hot categories, standardized numbers."""
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    kinds = OneHotEncoder(handle_unknown="ignore")
    return make_pipeline(make_column_transformer((numbers, num), (kinds, cat), sparse_threshold=0), model)


def mlp(**options):
    if not reg:
        return encoded(MLPClassifier(random_state=A.seed, **options))
    return encoded(TransformedTargetRegressor(MLPRegressor(random_state=A.seed, **options), transformer=StandardScaler()))


def flaml():
    from flaml import AutoML

    class Timed(AutoML):
        def fit(self, X, y):
            left = max(1.0, A.budget - (time.time() - T0) - 2)
            task, metric = ("regression", "r2") if reg else ("classification", "accuracy")
            super().fit(X, y, task=task, metric=metric, time_budget=left, n_jobs=1, seed=A.seed, verbose=0)

    return Timed()


H = HistGradientBoostingRegressor if reg else HistGradientBoostingClassifier
R = RandomForestRegressor if reg else RandomForestClassifier
MODELS = {
    "boosting": lambda: H(categorical_features="from_dtype", random_state=A.seed),
    "forest": lambda: encoded(R(random_state=A.seed, n_jobs=1)),
    "mlp": mlp,
    "mlp-early": lambda: mlp(early_stopping=True),
    "flaml": flaml,
}
model = MODELS[A.model]()
model.fit(X, y)
print("RESULT", json.dumps(dict(test=score(model.predict(XT)))))
