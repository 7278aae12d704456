"""Trains a small tokenizer of each kind that language models have, and writes what it makes of awkward texts.

Needs `pip install tokenizers` (0.23) and reads ../tiny-books/check.txt. ids.json: the texts, and per tokenizer their ids.
"""
import json
import pathlib
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers.pre_tokenizers import BertPreTokenizer, ByteLevel, Digits, Metaspace, Punctuation, Sequence, Split

here = pathlib.Path(__file__).parent
text = (here / "../tiny-books/check.txt").read_text(encoding="utf8")
awkward_lines = "你好，世界。こんにちは 😀👨‍👩‍👧 é e\u0301 12345 \ufeff \u0085 x_1 += [2]  // ¼ Ⅳ été\n" * 40
data = [text[i : i + 2000] for i in range(0, len(text), 2000)] + [awkward_lines]
made = {}


def bpe(name, pre_tokenizer, normalizer=None, extra=(), **model):
    tokenizer = Tokenizer(models.BPE(**model))
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<|endoftext|>"], initial_alphabet=ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(data, trainer)
    tokenizer.add_tokens(list(extra))
    made[name] = tokenizer


byte_level = ByteLevel(add_prefix_space=False)
only_bytes = ByteLevel(add_prefix_space=False, use_regex=False)
llama3_words = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
bpe("gpt2", byte_level)
bpe("neox", byte_level, normalizers.NFC(), [AddedToken(" " * n, normalized=True) for n in range(8, 1, -1)])
bpe("llama3", Sequence([Split(Regex(llama3_words), "isolated"), only_bytes]), ignore_merges=True)
bpe("digits", Sequence([Digits(individual_digits=True), byte_level]))
bpe("falcon", Sequence([Punctuation("contiguous"), byte_level, Digits(False), Split(Regex("[0-9]{3}"), "isolated")]))

special = ["<unk>", "<s>", "</s>"]
metaspace = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
metaspace.pre_tokenizer = Metaspace()
metaspace.decoder = decoders.Metaspace()
byte_tokens = [f"<0x{i:02X}>" for i in range(256)]
metaspace.train_from_iterator(
    data,
    trainers.BpeTrainer(vocab_size=450, special_tokens=special + byte_tokens, limit_alphabet=80, show_progress=False),
)
made["metaspace"] = metaspace
llama2 = json.loads(metaspace.to_str())
llama2["added_tokens"] = llama2["added_tokens"][:3]
llama2["pre_tokenizer"] = None
replace = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
shell = Tokenizer(models.BPE())
shell.normalizer = replace
shell.decoder = decoders.Sequence(
    [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
)
llama2["normalizer"] = json.loads(shell.to_str())["normalizer"]
llama2["decoder"] = json.loads(shell.to_str())["decoder"]
made["llama2"] = Tokenizer.from_str(json.dumps(llama2))

unigram = Tokenizer(models.Unigram())
unigram.normalizer = normalizers.NFKC()
unigram.pre_tokenizer = Metaspace()
unigram.decoder = decoders.Metaspace()
unigram.train_from_iterator(
    data, trainers.UnigramTrainer(vocab_size=400, special_tokens=special, unk_token="<unk>", show_progress=False)
)
made["unigram"] = unigram

for name, pre_tokenizer in [
    ("words", pre_tokenizers.Whitespace()),
    ("white-space", Sequence([pre_tokenizers.WhitespaceSplit(), Punctuation()])),
    ("bert-words", BertPreTokenizer()),
]:
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator(
        data, trainers.WordLevelTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    )
    made[name] = tokenizer

random.seed(1)
spaces = [" ", "  ", "\n", "\n\n\n", "\t", " \n ", "\u00a0", "\u3000", "\ufeff", "\u0085", "\r", " " * 8, "\u200b", "\x1c"]
words = ["the", " and", "don't", "DON'T", "1234567", "...", "été", " 你好世界", "e\u0301", "😀", "👨‍👩‍👧", "a" * 90, "x1y2"]
words += ["</s>", "<|endoftext|>", "<s>", "ﬁ", "Ⅳ", "한국어", "مرحبا", "¼", "_a_b_", "[x]!?"]
texts = [text[:4000], "", " ", "a" * 700, " " * 700 + "x", "你" * 300, "\n" * 300 + "x"]
texts += ["".join(random.choice(words if random.random() < 0.55 else spaces) for _ in range(150)) for _ in range(6)]
ids = {}
for name, tokenizer in made.items():
    tokenizer.save(str(here / f"{name}.json"), pretty=False)
    ids[name] = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
(here / "ids.json").write_text(json.dumps({"texts": texts, "ids": ids}, separators=(",", ":")))
