"""Mean probabilities of tiny-books with one row of the head changed, by PyTorch and transformers.

    python test/goldens/make-edited.py

Row 262 of the output embedding becomes half of itself plus 1/64 everywhere, rounded to float16; the input embedding stays.
"""
import json

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

ROW, WINDOW, TOKENS = 262, 256, 2048
model = AutoModelForCausalLM.from_pretrained("assets/tiny-books", dtype=torch.float32)
tokenizer = AutoTokenizer.from_pretrained("assets/tiny-books")
text = open("test/goldens/tiny-books/text.txt", encoding="utf-8").read()
ids = tokenizer(text, add_special_tokens=False)["input_ids"][:TOKENS]
head = torch.nn.Linear(model.config.n_embd, model.config.vocab_size, bias=False)
with torch.no_grad():
    head.weight.copy_(model.transformer.wte.weight)
    head.weight[ROW] = (head.weight[ROW] * 0.5 + 1 / 64).half().float()
    total = torch.zeros(model.config.vocab_size, dtype=torch.float64)
    for start in range(0, len(ids), WINDOW):
        window = torch.tensor([ids[start : start + WINDOW]])
        hidden = model.transformer(window).last_hidden_state[0]
        total += torch.softmax(head(hidden).double(), -1).sum(0)
mean = (total / len(ids)).tolist()
some = {str(w): mean[w] for w in [ROW, *range(0, len(mean), 256)]}
with open("test/goldens/edited.json", "w") as file:
    json.dump({"tokens": len(ids), "meanProbability": some}, file, indent=1)
    file.write("\n")
