"""What `generate` must write greedily, token for token: ids from transformers' own generate.

Usage: python make-generated.py      (needs torch, transformers >= 5, tokenizers, safetensors; writes generated.json)

The embedded model: texts of several lengths, float16 weights computed in float32. Architectures: the first 5 and the
first 11 ids of the two windows of expected.safetensors. Each prompt by itself, with key-value cache, in float32; LongRoPE
without: transformers 5.17 drops the cache where the text passes the length that the model was trained on, and goes on from
the last token alone. `margin`:
the least distance in any step between the largest logit and the next.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

here = Path(__file__).parent
tiny_books = here.parent.parent / "assets" / "tiny-books"
texts = ["It was a dark", "The", 'She said, "', "In the year of our Lord one thousand eight hundred and", "\n\n"]


def generated(model, prompts, new):
    longrope = (getattr(model.config, "rope_parameters", None) or {}).get("rope_type") == "longrope"
    made, margin = [], float("inf")
    for prompt in prompts:
        ids = torch.tensor([prompt])
        out = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=new,
            output_logits=True,
            return_dict_in_generate=True,
            pad_token_id=0,
            use_cache=not longrope,
        )
        made.append(out.sequences[0, len(prompt) :].tolist())
        top = torch.cat(out.logits).topk(2).values
        margin = min(margin, float((top[:, 0] - top[:, 1]).min()))
    return {"generated": made, "margin": round(margin, 7)}


def opened(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


tokenizer = Tokenizer.from_file(str(tiny_books / "tokenizer.json"))
prompts = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
result = {"tiny-books": {"texts": texts, "prompts": prompts, **generated(opened(tiny_books), prompts, 60)}, "arch": {}}
for folder in sorted((here / "arch").iterdir()):
    ids = load_file(folder / "expected.safetensors")["input_ids"].tolist()
    prompts = [ids[0][:5], ids[1][:11]]
    result["arch"][folder.name] = {"prompts": prompts, **generated(opened(folder), prompts, 20)}
(here / "generated.json").write_text(json.dumps(result) + "\n")
