"""The peer of `unembed generate`: transformers' own generate, greedily, with its key-value cache, in float32.

Run:     python bench/peer/generate.py MODEL_FOLDER --tokens 200 --threads 2 [--prompt 16] [--batches 1,16]

Prints one JSON object: tokens per second by batch size, the best of three runs.
"""

import argparse
import json
import time

import torch
from transformers import AutoModelForCausalLM

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("--tokens", type=int, default=200)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--prompt", type=int, default=16)
parser.add_argument("--batches", default="1,16")
args = parser.parse_args()
torch.set_num_threads(args.threads)
model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32).eval()

rates = {}
for size in map(int, args.batches.split(",")):
    ids = torch.tensor([[300 + (i + j) * 7919 % 5000 for i in range(args.prompt)] for j in range(size)])
    best = 0.0
    for _ in range(3):
        started = time.perf_counter()
        with torch.inference_mode():
            out = model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                max_new_tokens=args.tokens,
                min_new_tokens=args.tokens,
                pad_token_id=0,
            )
        assert out.shape[1] == args.prompt + args.tokens
        best = max(best, size * args.tokens / (time.perf_counter() - started))
    rates[str(size)] = best
print(json.dumps({"tokensPerSecond": rates}))
