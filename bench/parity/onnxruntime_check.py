"""Checks an exported model in Python's onnxruntime, told nothing but what the file's own metadata says.

Usage: python onnxruntime_check.py MODEL DUMP.json

DUMP.json is what dump.ts wrote: raw inputs, and the outputs of plain onnxruntime-node. Classes must be equal, and outputs
agree within 1e-4 of the largest; exit code 1 otherwise. Needs: pip install onnxruntime numpy.
"""

import json
import sys

import numpy as np
import onnxruntime


def main():
    model, dump = sys.argv[1:3]
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    shape = json.loads(metadata["netsmith.input.shape"])
    labels = json.loads(metadata["netsmith.output.labels"])
    classification = metadata["netsmith.task"] == "classification"

    with open(dump) as file:
        recorded = json.load(file)
    inputs = np.asarray(recorded["inputs"], metadata["netsmith.input.format"])
    inputs = inputs.reshape(-1, *shape[1:])
    expected = np.asarray(recorded["outputs"], np.float64)
    name, output = metadata["netsmith.input.name"], metadata["netsmith.output.name"]
    found = session.run([output], {name: inputs})[0].astype(np.float64)
    if len(inputs) > 1:
        one_by_one = np.concatenate([session.run([output], {name: x[None]})[0] for x in inputs])
        assert np.allclose(found, one_by_one, rtol=1e-4, atol=1e-5), "batches and single samples disagree"

    difference = np.abs(found - expected).max() / np.abs(expected).max()
    same = True
    if classification:
        classes = [labels[i] for i in found.argmax(1)]
        same = classes == recorded["classes"]
        print(f"classes: {sum(a == b for a, b in zip(classes, recorded['classes']))} of {len(classes)} equal")
    print(f"largest difference {difference:.2e} of the largest output, {len(inputs)} samples")
    print(f"onnxruntime {onnxruntime.__version__}, opset of {model} read; task {metadata['netsmith.task']}")
    passed = same and difference <= 1e-4
    print("passed" if passed else "FAILED")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
