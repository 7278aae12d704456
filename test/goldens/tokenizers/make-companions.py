"""Folders whose tokenizer is more than tokenizer.json says, and the ids that transformers' AutoTokenizer (5.18) gives: companions.json.

A case is {name, files, texts, ids, first}: ids without special tokens, first the ids that it puts before a text by itself.
"""
import json
import os
import pathlib
import tempfile

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
from transformers import AutoTokenizer

here = pathlib.Path(__file__).parent
base = json.loads((here / "gpt2.json").read_text(encoding="utf8"))
model = base["model"]
size = len(model["vocab"])
token = lambda content, **flags: {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False, **flags}
fast = {"tokenizer_class": "PreTrainedTokenizerFast"}
template = lambda *ids: {"type": "TemplateProcessing", "single": [*({"SpecialToken": {"id": i, "type_id": 0}} for i in ids), {"Sequence": {"id": "A", "type_id": 0}}], "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {i: {"id": i, "ids": [0], "tokens": [i]} for i in ids}}
json_file = lambda **more: {"tokenizer.json": {**base, **more}}
eot = "<|endoftext|>"
cases = {
    "added_tokens.json": {**json_file(), "added_tokens.json": {"<sep>": size, " the": size + 1}, "tokenizer_config.json": fast},
    "added_tokens.json out of order": {**json_file(), "added_tokens.json": {"<b>": size + 1, "<a>": size}, "tokenizer_config.json": {**fast, "additional_special_tokens": ["<a>"]}},
    "added_tokens_decoder": {**json_file(), "tokenizer_config.json": {**fast, "added_tokens_decoder": {str(size): token("<sep>", lstrip=True), str(size + 1): token("the", single_word=True, normalized=True)}}},
    "added_tokens_decoder before added_tokens.json": {**json_file(), "added_tokens.json": {"<b>": size}, "tokenizer_config.json": {**fast, "added_tokens_decoder": {str(size): token("<sep>", special=True)}}},
    "flags changed": {**json_file(added_tokens=[{"id": 0, **token(eot, special=True)}, {"id": size, **token("<sep>", lstrip=True)}]), "tokenizer_config.json": {**fast, "added_tokens_decoder": {str(size): token("<sep>", rstrip=True)}}},
    "special_tokens_map.json": {**json_file(), "tokenizer_config.json": fast, "special_tokens_map.json": {"bos_token": token("<bos>", lstrip=True), "eos_token": eot, "additional_special_tokens": ["<x>", "<y>"]}},
    "roles of tokenizer_config.json": {**json_file(), "tokenizer_config.json": {**fast, "pad_token": "<pad>", "mask_token": token("<mask>", lstrip=True, __type="AddedToken"), "image_token": "<image>", "add_prefix_space": True}},
    "a token of the vocabulary with a role": {**json_file(), "tokenizer_config.json": {**fast, "sep_token": "Ġthe"}},
    "add_bos_token": {**json_file(), "tokenizer_config.json": {**fast, "add_bos_token": True, "bos_token": eot}},
    "add_bos_token false": {**json_file(post_processor=template(eot)), "tokenizer_config.json": {**fast, "add_bos_token": False, "bos_token": eot}},
    "post-processor": {**json_file(post_processor=template(eot)), "tokenizer_config.json": fast},
    "post-processor of two": {**json_file(post_processor={"type": "Sequence", "processors": [{"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}, template(eot, eot)]}), "tokenizer_config.json": fast},
    "add_eos_token alone": {**json_file(post_processor=template(eot)), "tokenizer_config.json": {**fast, "add_eos_token": False, "bos_token": eot}},
    "add_bos_token of no token": {**json_file(), "tokenizer_config.json": {**fast, "add_bos_token": True}},
    "GPT2Tokenizer with a prefix": {**json_file(), "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": True}},
    "vocab.json and merges.txt": {"vocab.json": model["vocab"], "merges.txt": model["merges"], "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer"}, "config.json": {"model_type": "gpt2"}},
    "vocab.json and merges.txt, no config": {"vocab.json": model["vocab"], "merges.txt": model["merges"], "config.json": {"model_type": "gpt2"}},
    "vocab.json and merges.txt of OPT": {"vocab.json": {**model["vocab"], "</s>": size, "<pad>": size + 1}, "merges.txt": model["merges"], "config.json": {"model_type": "opt"},
        "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "bos_token": "</s>", "eos_token": "</s>", "unk_token": "</s>", "pad_token": "<pad>", "add_prefix_space": False}},
    "vocab.json and merges.txt of Qwen": {"vocab.json": model["vocab"], "merges.txt": model["merges"], "config.json": {"model_type": "qwen2"}, "added_tokens.json": {"<|im_start|>": size},
        "tokenizer_config.json": {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|im_end|>"}},
    "vocab.json and merges.txt with a prefix": {"vocab.json": model["vocab"], "merges.txt": model["merges"], "config.json": {"model_type": "gpt2"}, "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": True}},
}
texts = ["the <sep> is of <sep> the<sep>other", "<bos> the <a><b> <x><y> <pad> <mask> <image>", f"The{eot} cafe\u0301 12345  don't </s><|im_start|>\n", "bathe the, breathe the", ""]
result = []
for name, files in cases.items():
    with tempfile.TemporaryDirectory() as folder:
        for file, contents in files.items():
            if file == "merges.txt":
                contents = files[file] = "#version: 0.2\n" + "".join(f"{' '.join(m) if isinstance(m, list) else m}\n" for m in contents)
            pathlib.Path(folder, file).write_text(contents if isinstance(contents, str) else json.dumps(contents), encoding="utf8")
        if "config.json" not in files:
            pathlib.Path(folder, "config.json").write_text('{"model_type":"gpt2"}')
        tokenizer = AutoTokenizer.from_pretrained(folder)
        ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
        first = tokenizer("the")["input_ids"]
        plain = tokenizer("the", add_special_tokens=False)["input_ids"]
        if "tokenizer.json" in files:
            files["tokenizer.json"] = {k: v for k, v in files["tokenizer.json"].items() if k != "model" and v != base.get(k)}
        if "vocab.json" in files:
            files["vocab.json"] = {k: v for k, v in files["vocab.json"].items() if k not in model["vocab"]}
            files["merges.txt"] = ""
        result.append({"name": name, "files": files, "ids": ids, "first": first[: len(first) - len(plain)]})
(here / "companions.json").write_text(json.dumps({"texts": texts, "cases": result}, ensure_ascii=False), encoding="utf8")
