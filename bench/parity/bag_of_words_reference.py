"""The reference of bag-of-words.ts: reads texts as JSON from the standard input, prints the accuracy on validation texts as JSON."""
import json
import sys

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

given = json.load(sys.stdin)
found = {}
for name, pattern, train, valid in (
    ("tokens", r"\S+", given["tokens"]["train"], given["tokens"]["valid"]),
    ("texts", r"(?u)\b\w\w+\b", given["texts"]["train"], given["texts"]["valid"]),
):
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), token_pattern=pattern)
    x = vectorizer.fit_transform(train)
    for c in given["c"]:
        model = LogisticRegression(C=c, max_iter=1000).fit(x, given["targets"]["train"])
        found[f"{name}, C={c}"] = model.score(vectorizer.transform(valid), given["targets"]["valid"])
json.dump(found, sys.stdout)
