"""Trains a small SentencePiece model of each kind that language models have, and writes what it makes of awkward texts.

Needs `pip install sentencepiece` (0.2) and reads ../tiny-books/check.txt. sentencepiece.json: the texts, and per model their ids.
"""
import json
import pathlib
import tempfile

import sentencepiece

here = pathlib.Path(__file__).parent
text = (here / "../tiny-books/check.txt").read_text(encoding="utf8")
rules = "".join(f"{ord(c):X}\t{ord(c.lower()):X}\n" for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ") + "FB01\t66 69\n65 301\tE9\nA\t20\n3000\t20\n"
plain = dict(normalization_rule_name="identity", remove_extra_whitespaces=False, allow_whitespace_only_pieces=True)
bpe = dict(model_type="bpe", byte_fallback=True, split_digits=True, **plain)
made = {
    "llama": bpe,
    "gemma": dict(bpe, add_dummy_prefix=False, pad_id=0, eos_id=1, bos_id=2, unk_id=3, user_defined_symbols=["<start_of_turn>", "\n\n"]),
    "bpe-unknown": dict(model_type="bpe", normalization_rule_name="identity"),
    "unigram": dict(model_type="unigram", byte_fallback=True, user_defined_symbols=["<sep>", "ing"]),
    "unigram-unknown": dict(model_type="unigram", treat_whitespace_as_suffix=True),
}
texts = ["", " ", "the is of", "  Hello,  world! ", "THE War\nwas ﬁne, cafe\u0301", "12345 \t tabs", "<sep>the <start_of_turn>user\n\n\nsinging", "x  y   z",
    "漢字 and 日本語　です", "😀👨‍👩‍👧 \u00a0 é e\u0301 \u0085\ufeff", "a" * 300 + " " * 20, "ＡＢＣ Ⅳ ½", *[text[i : i + 300] for i in range(0, 3000, 300)]]
ids = {}
with tempfile.TemporaryDirectory() as folder:
    data = pathlib.Path(folder, "text.txt")
    data.write_text(text, encoding="utf8")
    tsv = pathlib.Path(folder, "rules.tsv")
    tsv.write_text(rules, encoding="utf8")
    for name, options in made.items():
        if "normalization_rule_name" not in options:
            options = dict(options, normalization_rule_tsv=str(tsv))
        sentencepiece.SentencePieceTrainer.train(input=str(data), model_prefix=f"{folder}/{name}", vocab_size=500, minloglevel=2, **options)
        (here / f"{name}.model").write_bytes(pathlib.Path(folder, f"{name}.model").read_bytes())
        processor = sentencepiece.SentencePieceProcessor(model_file=f"{folder}/{name}.model")
        ids[name] = [processor.encode(t) for t in texts]
(here / "sentencepiece.json").write_text(json.dumps({"texts": texts, "ids": ids}, ensure_ascii=False), encoding="utf8")
