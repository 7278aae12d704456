"""Writes a model of GPT-2's shape (124 million parameters, 1,024 positions) with random weights: enough to time it.

Run:     python bench/peer/random-gpt2.py FOLDER
"""

import sys

import torch
from transformers import GPT2Config, GPT2LMHeadModel

torch.manual_seed(0)
GPT2LMHeadModel(GPT2Config()).save_pretrained(sys.argv[1])
