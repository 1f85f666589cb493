# Puts exported weights into the edited source and says what it predicts: the product itself never runs Python.
# usage: checkTorch.py SOURCE MODEL SAFETENSORS ROWS SHAPE  (rows: float32; shape: comma-separated, of one row)
import importlib.util
import json
import struct
import sys

import torch

source, name, weights, rows, shape = sys.argv[1:]
spec = importlib.util.spec_from_file_location("edited", source)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
model = getattr(module, name)
if not isinstance(model, torch.nn.Module):
    model = model()  # a class, or a function that makes one

# safetensors: length of the header, header, data. Debian has no package for it.
with open(weights, "rb") as file:
    content = file.read()
(length,) = struct.unpack("<Q", content[:8])
header = json.loads(content[8 : 8 + length])
state = {}
for key, entry in header.items():
    if key == "__metadata__":
        continue
    begin, end = (8 + length + offset for offset in entry["data_offsets"])
    dtype = {"F32": torch.float32, "I64": torch.int64}[entry["dtype"]]
    state[key] = torch.frombuffer(bytearray(content[begin:end]), dtype=dtype).reshape(entry["shape"])
model.load_state_dict(state, strict=True)
model.eval()

with open(rows, "rb") as file:
    x = torch.frombuffer(bytearray(file.read()), dtype=torch.float32)
x = x.reshape(-1, *(int(size) for size in shape.split(",")))
with torch.no_grad():
    print(json.dumps(model(x).tolist()))
