"""The peer of `unembed analyze`: the same numbers the plain way, with PyTorch, transformers and statsmodels.

Set-up:  python -m venv .venv && .venv/bin/pip install torch transformers statsmodels scipy
Run:     python bench/peer/analyze.py MODEL_FOLDER TEXT_FILE --tokens 100000 --threads 2 [--batch 4]

Prints one JSON object: the results, seconds by part, tokens per second of the pass, peak memory in MB.
"""

import argparse
import json
import resource
import time

started = time.perf_counter()
import numpy as np
import scipy.stats
import statsmodels.api as sm
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("text")
parser.add_argument("--tokens", type=int, default=100_000)
parser.add_argument("--context", type=int, default=256)
parser.add_argument("--batch", type=int, default=4)
parser.add_argument("--threads", type=int, default=2)
args = parser.parse_args()
torch.set_num_threads(args.threads)
imported = time.perf_counter()

tokenizer = AutoTokenizer.from_pretrained(args.model)
model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32).eval()
with open(args.text, encoding="utf-8-sig") as file:
    ids = torch.tensor(tokenizer(file.read(), add_special_tokens=False)["input_ids"][: args.tokens])
full = len(ids) // args.context * args.context
windows = list(ids[:full].view(-1, args.context).split(args.batch))
if full < len(ids):
    windows.append(ids[full:].view(1, -1))
E = model.get_output_embeddings().weight.detach()
V, d = E.shape
loaded = time.perf_counter()

probability = torch.zeros(V, dtype=torch.float64)
hidden_sum = torch.zeros(d, dtype=torch.float64)
second = torch.zeros(d, d, dtype=torch.float64)
Lh = torch.zeros(d, dtype=torch.float64)
L_sum = L_square = entropy = deviation = 0.0
top = torch.zeros(3, dtype=torch.float64)
rates = []
with torch.inference_mode():
    for window in windows:
        begin = time.perf_counter()
        h = model.base_model(window).last_hidden_state.reshape(-1, d)
        z = model.lm_head(h)
        L = z.logsumexp(-1)
        p = (z - L[:, None]).exp()
        probability += p.sum(0).double()
        h64, L64 = h.double(), L.double()
        hidden_sum += h64.sum(0)
        second += h64.T @ h64
        Lh += L64 @ h64
        L_sum += L64.sum().item()
        L_square += (L64 @ L64).item()
        entropy += (L - (p * z).sum(-1)).double().sum().item()
        deviation += z.std(-1, correction=0).double().sum().item()
        largest = p.topk(100).values.double()
        top += torch.stack([largest[:, :k].sum() for k in (1, 10, 100)])
        rates.append((window.numel(), time.perf_counter() - begin))
passed = time.perf_counter()

N = len(ids)
alpha = (probability / N).numpy()
y = -np.log(alpha)
X = E.double().numpy()
fit = sm.OLS(y, sm.add_constant(X)).fit()
fold = np.arange(V) % 10
predicted = np.empty(V)
for k in range(10):
    train = fold != k
    coefficients = np.linalg.lstsq(np.c_[np.ones(train.sum()), X[train]], y[train], rcond=None)[0]
    predicted[~train] = coefficients[0] + X[~train] @ coefficients[1:]
saliency = np.abs(fit.params[1:]) * X.std(0)
order = np.argsort(-saliency)
sizes = [2**i for i in range(20) if 2**i < d] + [d]
refits = {k: sm.OLS(y, sm.add_constant(X[:, order[:k]])).fit().rsquared for k in sizes}
rng = np.random.default_rng(0)
random_refits = {
    k: np.mean([sm.OLS(y, sm.add_constant(X[:, rng.permutation(d)[:k]])).fit().rsquared for _ in range(10)]) for k in sizes
}
centred = X - X.mean(0)
values, vectors = np.linalg.eigh(centred.T @ centred)
scores = centred @ vectors[:, ::-1]
component_refits = {k: sm.OLS(y, sm.add_constant(scores[:, :k])).fit().rsquared for k in sizes}
ended = time.perf_counter()

steady = rates[len(rates) // 5 :]
print(
    json.dumps(
        {
            "r2": fit.rsquared,
            "crossValidatedR2": 1 - ((y - predicted) ** 2).sum() / ((y - y.mean()) ** 2).sum(),
            "spearman": scipy.stats.spearmanr(fit.fittedvalues, y).statistic,
            "entropy": entropy / N,
            "topMass100": top[2].item() / N,
            "refits": [refits[d], random_refits[d], component_refits[d]],
            "tokensPerSecond": sum(n for n, _ in steady) / sum(s for _, s in steady),
            "seconds": {
                "import": imported - started,
                "load": loaded - imported,
                "pass": passed - loaded,
                "regression": ended - passed,
                "total": ended - started,
            },
            "peakMegabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
