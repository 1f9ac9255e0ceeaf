"""scikit-learn's HistGradientBoosting on the rows that boosting.ts has written: one JSON line a model."""
import json, os, sys, time
import numpy as np, pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

folder = sys.argv[1]
about = json.load(open(os.path.join(folder, 'columns.json')))


def read(part):
    x = np.fromfile(os.path.join(folder, part + '.x'), np.float32).reshape(-1, about['width'])
    y = np.fromfile(os.path.join(folder, part + '.y'), np.float32)
    columns = {}
    for i, column in enumerate(about['columns']):
        at = column['at']
        if column['kind'] == 'number':
            columns[f'c{i}'] = x[:, at]
        else:
            one_hot = x[:, at:at + column['categories']]
            codes = np.where(one_hot.max(axis=1) > 0.5, one_hot.argmax(axis=1), -1)
            columns[f'c{i}'] = pd.Categorical.from_codes(codes, range(column['categories']))
    return pd.DataFrame(columns), y.astype(np.float64 if about['regression'] else np.int64)


(X, y), (XV, yV), (XT, yT) = read('train'), read('valid'), read('test')
Model = HistGradientBoostingRegressor if about['regression'] else HistGradientBoostingClassifier
for name, options, given in [
    ('scikit-learn, same validation rows', dict(max_iter=1000, early_stopping=True, n_iter_no_change=50), dict(X_val=XV, y_val=yV)),
    ('scikit-learn, defaults', {}, {}),
]:
    model = Model(categorical_features='from_dtype', random_state=0, **options)
    started = time.process_time()
    model.fit(X, y, **given)
    seconds = time.process_time() - started
    print(json.dumps(dict(model=name, valid=model.score(XV, yV), test=model.score(XT, yT), rounds=int(model.n_iter_), seconds=seconds)))
