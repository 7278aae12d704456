"""What `unembed compare` must say of the embedded model and two edited copies, by PyTorch in float64.

Usage: python make-compare.py      (needs torch, transformers >= 5, tokenizers, numpy; writes compare.json beside itself)

The copies: in some rows of transformer.wte.weight (tied: input and output) every float16's bit pattern is raised by
`ulps`, which makes its magnitude larger by so many units in the last place (0.05 to 0.1% each). Text: the first 2,000
tokens of tiny-books/check.txt in windows of 256, the last one short. Perplexity: of the tokens of every window but its
first.
"""

import json
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

here = Path(__file__).parent
folder = here.parent.parent / "assets" / "tiny-books"
rows = [261, 12, 281, 544, 4000]
context, tokens, movers, listed = 256, 2000, 20, 24

text = (here / "tiny-books" / "check.txt").read_text(encoding="utf-8")
ids = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(text, add_special_tokens=False).ids[:tokens]
windows = [ids[start : start + context] for start in range(0, tokens, context)]


def model(ulps):
    loaded = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float16, attn_implementation="eager")
    weight = loaded.transformer.wte.weight.data
    weight[rows] = (weight[rows].view(torch.int16) + ulps).view(torch.float16)
    assert loaded.lm_head.weight.data_ptr() == weight.data_ptr()
    return loaded.double().eval()


def log_probabilities(ulps):
    with torch.no_grad():
        edited = model(ulps)
        return [torch.log_softmax(edited(torch.tensor([window])).logits[0], -1) for window in windows]


def perplexity(log_p):
    taken = [rows[torch.arange(len(w) - 1), torch.tensor(w[1:])] for rows, w in zip(log_p, windows)]
    return float(torch.exp(-torch.cat(taken).mean()))


def spread(values):
    return {"mean": values.mean(), "percentile95": np.percentile(values, 95), "max": values.max()}


def compare(ulps):
    log_a, log_b = log_probabilities(0), log_probabilities(ulps)
    a, b = torch.cat(log_a), torch.cat(log_b)
    p, q = a.exp(), b.exp()
    log_m = torch.log((p + q) / 2)
    kl = (p * (a - b)).sum(-1).numpy()
    reverse_kl = (q * (b - a)).sum(-1).numpy()
    js = ((p * (a - log_m)).sum(-1) + (q * (b - log_m)).sum(-1)).numpy() / 2
    alpha_a, alpha_b = p.mean(0).numpy(), q.mean(0).numpy()
    moved = np.argsort(-np.abs(np.log(alpha_b / alpha_a)), kind="stable")[:movers]
    return {
        "ulps": ulps,
        "contexts": len(kl),
        "kl": spread(kl),
        "reverseKl": spread(reverse_kl),
        "js": spread(js),
        "top1Agreement": float((a.argmax(-1) == b.argmax(-1)).double().mean()),
        "perplexity": {"a": perplexity(log_a), "b": perplexity(log_b)},
        "movers": [{"id": int(w), "a": alpha_a[w], "b": alpha_b[w], "scale": alpha_b[w] / alpha_a[w]} for w in moved],
        "firstContexts": {
            "kl": kl[:listed].tolist(),
            "reverseKl": reverse_kl[:listed].tolist(),
            "js": js[:listed].tolist(),
        },
    }


golden = {"rows": rows, "contextLength": context, "tokens": tokens, "edits": [compare(1), compare(200)]}
(here / "compare.json").write_text(json.dumps(golden, indent=1) + "\n")
