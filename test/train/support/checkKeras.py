# Puts exported weights into Keras models as the exported load.py does, and says what they predict: the product itself
# never runs Python.
# usage: checkKeras.py < JSON list of {folder, source, model, rows, shape}; rows: a file of float32
import importlib.util
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np

said = []
for index, case in enumerate(json.load(sys.stdin)):
    spec = importlib.util.spec_from_file_location(f"edited{index}", case["source"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = getattr(module, case["model"])
    if not isinstance(model, keras.Model):
        model = model()  # a class, or a function that makes one
    os.chdir(case["folder"])
    with open("load.py") as file:
        exec(file.read(), {"model": model})
    x = np.fromfile(case["rows"], dtype="float32").reshape(-1, *case["shape"])
    said.append(np.asarray(model(x, training=False)).tolist())
json.dump(said, sys.stdout)
