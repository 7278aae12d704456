"""assets/self-test.safetensors: what PyTorch computes of 40 tokens with the embedded model, by which a device is judged.

    python test/goldens/make-self-test.py

40 tokens, because some graphics cards' attention is wrong from 32 on.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

root = Path(__file__).resolve().parents[2]
model = AutoModelForCausalLM.from_pretrained(root / "assets/tiny-books", dtype=torch.float64)
ids = torch.tensor([[(i * 7919 + i * i * 31 + 5) % model.config.vocab_size for i in range(40)]])
with torch.no_grad():
    hidden = model.transformer(ids).last_hidden_state[0]
    logits = model.lm_head(hidden)
tensors = {
    "input_ids": ids[0].to(torch.int32),
    "hidden": hidden.float(),
    "log_normalizer": logits.logsumexp(-1).float(),
    "sum_probability": logits.softmax(-1).sum(0).float(),
}
save_file(tensors, root / "assets/self-test.safetensors")
