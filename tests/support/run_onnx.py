"""Runs the scores of ONNX models in OpenCV, for tests/end/test_export.sh.

    python3 run_onnx.py <JOBS

A job is a line "MODEL TYPE COLUMNS FEATURES OUT": FEATURES is a file of numbers by rows; the scores go to OUT.scores as
numbers in one line. OpenCV is an engine for float32 networks: jobs of TYPE float64 are left out, and so are the parts of
the graph behind the scores.
"""
import sys

import cv2
import numpy
import onnx.utils


def run(model, kind, columns, features, out):
    if kind == "float64":
        return
    onnx.utils.extract_model(model, out + ".part", ["features"], ["scores"])
    rows = numpy.loadtxt(features, ndmin=1).reshape(-1, int(columns)).astype(numpy.float32)
    network = cv2.dnn.readNetFromONNX(out + ".part")
    network.setInput(rows)
    numpy.savetxt(out + ".scores", network.forward("scores").reshape(1, -1), "%.9g")


for line in sys.stdin:
    run(*line.split())
