"""scikit-learn's SVC with its defaults, on pixels divided by the largest value: python svc.py --data FOLDER"""
import argparse
import json

from sklearn.svm import SVC
from user_data import load

ap = argparse.ArgumentParser()
ap.add_argument("--data")
ap.add_argument("--budget", help="not used: it has no steps")
ap.add_argument("--seed", help="not used: nothing is random")
A = ap.parse_args()
xtr, ytr, xte, yte = load(A.data)
top = float(xtr.max())
model = SVC().fit(xtr.reshape(len(xtr), -1) / top, ytr)
print("RESULT", json.dumps(dict(test=float(model.score(xte.reshape(len(xte), -1) / top, yte)))))
