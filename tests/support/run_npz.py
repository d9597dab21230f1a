"""Computes the scores of a network in an .npz file with numpy, for tests/end/test_export.sh.

    python3 run_npz.py MODEL.npz FEATURES OUT

FEATURES is a file of numbers by rows; the scores go to OUT.scores as numbers in one line, names and labels of the
classes to OUT.classes, a line each.
"""
import sys

import numpy

model = numpy.load(sys.argv[1])
raw = numpy.loadtxt(sys.argv[2], ndmin=1).reshape(-1, len(model["shift"]))
x = (raw - model["shift"]) / model["scale"]
if model["bias"]:
    x = numpy.hstack([x, numpy.ones((len(x), 1))])
scores = numpy.maximum(0, x @ model["W1"]) @ model["W2"]
numpy.savetxt(sys.argv[3] + ".scores", scores.reshape(1, -1), "%.17g")
with open(sys.argv[3] + ".classes", "w") as out:
    if "class_names" in model:
        for name, value in zip(model["class_names"], model["class_values"]):
            print(name.decode(), value, file=out)
