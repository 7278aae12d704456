"""Writes the files of this folder with PyTorch 2.13, transformers 5.18 and safetensors 0.8: python make.py"""

import os
import zipfile
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import GPT2LMHeadModel

here = Path(__file__).parent
model = GPT2LMHeadModel.from_pretrained(here.parent / "arch" / "gpt2")


def save(value, name, **options):
    # torch.save calls the folder inside the zip after the file.
    torch.save(value, here / name, **options)


# An OrderedDict with _metadata; lm_head.weight and transformer.wte.weight share their storage.
save(model.state_dict(), "state_dict.bin")

base = torch.arange(24, dtype=torch.float32) / 7
tensors = {
    "float32": base.clone().reshape(2, 3, 4),
    "float16": base.half(),
    "bfloat16": base.bfloat16().reshape(4, 6),
    "float64": base.double() / 3,
    "int64": torch.tensor([-(2**40), 2**40]),
    "int32": torch.tensor([-70000, 70000], dtype=torch.int32),
    "int16": torch.tensor([-300, 300], dtype=torch.int16),
    "int8": torch.tensor([-3, 3], dtype=torch.int8),
    "uint8": torch.tensor([3, 200], dtype=torch.uint8),
    "bool": torch.tensor([True, False, True]),
    "scalar": torch.tensor(2.5),
    "empty": torch.zeros(0, 3),
    "rows 2 to 4": base.reshape(6, 4)[2:4],
    "row 5": base.reshape(6, 4)[5:6],
    "parameter": torch.nn.Parameter(base[:4].clone()),
    "größe": torch.ones(1),
}
save(tensors, "kinds.bin")
save(tensors, "kinds_protocol_4.bin", pickle_protocol=4)
save_file({name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}, here / "kinds.safetensors")

parameter = dict(model.named_parameters())["transformer.ln_f.weight"]
save(OrderedDict(weight=parameter), "parameter_with_state.bin")

save({"weight": torch.ones(2, 3).T}, "transposed.bin")
save({"weight": torch.ones(2)}, "legacy.bin", _use_new_zipfile_serialization=False)
save({"weight": torch.ones(2, dtype=torch.uint16)}, "unknown_global.bin")
save({"model": {"weight": torch.ones(2)}, "step": 3}, "training_checkpoint.bin")
save([torch.ones(2)], "list.bin")


class Command:
    def __reduce__(self):
        return os.system, ("echo executed",)


save({"weight": Command()}, "command.bin")

with zipfile.ZipFile(here / "list.bin") as plain, zipfile.ZipFile(here / "compressed.bin", "w", zipfile.ZIP_DEFLATED) as out:
    for record in plain.namelist():
        out.writestr(record, plain.read(record))
