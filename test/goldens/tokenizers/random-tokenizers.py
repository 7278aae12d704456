"""Random tokenizers and texts, with the ids and the decoded texts of Python's tokenizers.

    python random-tokenizers.py SEED COUNT > cases.json
    npx tsx test/goldens/tokenizers/compare.ts cases.json

A case is {file, texts, ids, decoded} or {file, error} where the Rust tokenizers refuse the file. random.json, which the tests
read, is what seed 20 gives for 120 (tokenizers 0.23.2).
"""

import base64
import json
import random
import os
import struct
import sys

os.environ["RUST_BACKTRACE"] = "0"

from tokenizers import Tokenizer

seed, count = int(sys.argv[1]), int(sys.argv[2])
rng = random.Random(seed)
pick = rng.choice


def maybe(p=0.5):
    return rng.random() < p


ALPHABETS = [
    "abcdefghij",
    "ABCdefÉéàßİıΣσςǅﬁ",
    "0123456789½²٣५",
    " \t\n\r\u00a0\u3000\u2028\u0085\u200b\ufeff",
    "      ",
    ".,!?'\"-_()[]{}<>#$%&*+/=@^|~`¡¿«»。、！",
    "漢字日本語中国ひらがなカタカナー한국어",
    "привет мир ЖЩ",
    "مرحبا שלום नमस्ते ไทย",
    "\u0301\u0308\u0327\u20dd\u0345\u0e31\u093f\u200d\ufe0f",
    "😀👨👩🏽🇩🇪\U0001d400\U00020000",
    "▁ĠĊ<|>s/",
    "\u00c5\u212b\u2460\u00bc\ufb01\uff21\u1e9b\u0323\uac00\u1100\u1161",
    "\x01\x7f\x8f\xad\u0600\u06dd\u2060\ue000",
]
WORDS = ["the", "The", "THE", "art", "part", "is", "don't", "we'll", "I'm", "Hello", "world", "café", "ΟΔΟΣ", "naïve", "x_1", "3.14", "1,234", "foo  bar", "<s>", "</s>", "<unk>", "[UNK]", "<|end|>", "##ab", "do not", "\r\n", "a" * 30, "ab" * 40]


def text():
    out = []
    for _ in range(rng.randint(0, 9)):
        kind = rng.random()
        if kind < 0.45:
            out.append(pick(WORDS))
        else:
            alphabet = pick(ALPHABETS)
            out.append("".join(pick(alphabet) for _ in range(rng.randint(1, 6))))
        if maybe(0.6):
            out.append(pick([" ", " ", " ", "  ", "\n", ""]))
    return "".join(out)


def pattern():
    return pick([
        {"String": " "}, {"String": "a"}, {"String": "ab"}, {"String": "."}, {"String": "▁"}, {"String": "\n"},
        {"Regex": "\\s+"}, {"Regex": " {2,}"}, {"Regex": "\\w+"}, {"Regex": "[^\\w\\s]+"}, {"Regex": "\\p{L}+"}, {"Regex": "\\d{1,3}"},
        {"Regex": "\\p{N}"}, {"Regex": "[0-9][0-9][0-9]"}, {"Regex": "(?i:'s|'t|'re|'ve|'m|'ll|'d)"}, {"Regex": "\\b"}, {"Regex": "x*"}, {"Regex": "\\w"},
        {"Regex": "[一-龥ぁ-ゖァ-ヺ]+"}, {"Regex": "^\\s+|\\s+$"}, {"Regex": "(?<=a)b"}, {"Regex": "\\S+(?=\\s)"}, {"Regex": "[[:punct:]]"}, {"Regex": "[[:alpha:]]+"},
        {"Regex": "\\p{Han}+"}, {"Regex": "[\\p{L}&&[^a]]+"}, {"Regex": "(?>a+)b?"}, {"Regex": "a++"}, {"Regex": "\\h+"}, {"Regex": "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"},
        {"Regex": "\\A.|.\\z"}, {"Regex": "\\R"}, {"Regex": "(?m).+"}, {"Regex": "(a)(b)?\\1"}, {"Regex": "[\\w-]+"}, {"Regex": "\\W"}, {"Regex": "$"}, {"Regex": "(?i)É"},
        {"Regex": "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},
        {"Regex": "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},
        {"Regex": "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"},
        {"Regex": "[\\r\\n]"}, {"Regex": "\\s?\\p{L}+"}, {"Regex": "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"},
    ])


def charsmap():
    """A small map as SentencePiece writes it: a double array of UTF-8 keys."""
    rules = {}
    for _ in range(rng.randint(1, 12)):
        alphabet = pick(ALPHABETS)
        key = "".join(pick(alphabet) for _ in range(pick([1, 1, 1, 2, 2, 3])))
        rules[key] = pick(["", "a", "b", " ", "ss", "e\u0301", "漢", "xyz"])
    if maybe():
        rules.update({c: c.lower() for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"})
    blob = b""
    trie = {}
    for key in sorted(rules):
        node = trie
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node["leaf"] = len(blob)
        blob += rules[key].encode() + b"\0"
    units = [0] * 65536
    used = [False] * 65536
    used[0] = True

    def place(node, at):
        """Lays the children of the node whose unit stands at `at`."""
        labels = sorted(k for k in node if k != "leaf")
        wanted = ([0] if "leaf" in node else []) + labels
        base = 1
        while True:
            spots = [base ^ label for label in wanted]
            offset = at ^ base
            if offset < 2**21 and all(s < len(units) and not used[s] for s in spots) and len(set(spots)) == len(spots):
                break
            base += 1
        units[at] |= (at ^ base) << 10
        for s in spots:
            used[s] = True
        if "leaf" in node:
            units[at] |= 1 << 8
            units[base] = (1 << 31) | node["leaf"]
        for label in labels:
            units[base ^ label] |= label
        for label in labels:
            place(node[label], base ^ label)

    place(trie, 0)
    last = max(i for i, u in enumerate(used) if u) + 256
    array = struct.pack(f"<{last}I", *units[:last])
    return base64.b64encode(struct.pack("<I", len(array)) + array + blob).decode()


def normalizer(depth=0):
    kind = pick(["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel", "Strip", "Prepend", "Replace", "BertNormalizer", "Precompiled", "Sequence"])
    if kind == "Strip":
        return {"type": kind, "strip_left": maybe(), "strip_right": maybe()}
    if kind == "Prepend":
        return {"type": kind, "prepend": pick(["▁", " ", "ab", "</s>"])}
    if kind == "Replace":
        return {"type": kind, "pattern": pattern(), "content": pick(["", " ", "▁", "ab", "é"])}
    if kind == "BertNormalizer":
        return {"type": kind, "clean_text": maybe(), "handle_chinese_chars": maybe(), "strip_accents": pick([None, True, False]), "lowercase": maybe()}
    if kind == "Precompiled":
        return {"type": kind, "precompiled_charsmap": charsmap()}
    if kind == "Sequence":
        return {"type": kind, "normalizers": [normalizer(depth + 1) for _ in range(rng.randint(0, 3))]} if depth < 2 else {"type": "NFC"}
    return {"type": kind}


BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]


def pre_tokenizer(depth=0):
    kind = pick(["BertPreTokenizer", "ByteLevel", "ByteLevel", "CharDelimiterSplit", "Metaspace", "Metaspace", "Whitespace", "WhitespaceSplit", "Split", "Split", "Split", "Punctuation", "Digits", "UnicodeScripts", "FixedLength", "Sequence", "Sequence"])
    if kind == "ByteLevel":
        return {"type": kind, "add_prefix_space": maybe(0.3), "trim_offsets": True, "use_regex": maybe()}
    if kind == "CharDelimiterSplit":
        return {"type": kind, "delimiter": pick(["-", "a", " ", "漢"])}
    if kind == "Metaspace":
        if maybe(0.2):
            return {"type": kind, "replacement": "▁", **pick([{"add_prefix_space": True}, {"add_prefix_space": False, "prepend_scheme": "never"}, {}])}
        return {"type": kind, "replacement": pick(["▁", "▁", "▁", "_", "Ġ"]), "prepend_scheme": pick(["always", "first", "never"]), "split": maybe()}
    if kind == "Split":
        return {"type": kind, "pattern": pattern(), "behavior": pick(BEHAVIORS), "invert": maybe(0.3)}
    if kind == "Punctuation":
        return {"type": kind, "behavior": pick(BEHAVIORS)}
    if kind == "Digits":
        return {"type": kind, "individual_digits": maybe()}
    if kind == "FixedLength":
        return {"type": kind, "length": rng.randint(1, 6)}
    if kind == "Sequence":
        return {"type": kind, "pretokenizers": [pre_tokenizer(depth + 1) for _ in range(rng.randint(1, 3))]} if depth < 2 else {"type": "Whitespace"}
    return {"type": kind}


def decoder(depth=0):
    kind = pick(["BPEDecoder", "ByteLevel", "WordPiece", "Metaspace", "CTC", "Replace", "Fuse", "Strip", "ByteFallback", "Sequence", "Sequence"])
    if kind == "ByteLevel":
        return {"type": kind, "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    if kind == "BPEDecoder":
        return {"type": kind, "suffix": pick(["</w>", "a"])}
    if kind == "WordPiece":
        return {"type": kind, "prefix": pick(["##", "a"]), "cleanup": maybe()}
    if kind == "Metaspace":
        return {"type": kind, "replacement": pick(["▁", "Ġ"]), "prepend_scheme": pick(["always", "first", "never"]), "split": True}
    if kind == "CTC":
        return {"type": kind, "pad_token": pick(["<pad>", "a"]), "word_delimiter_token": pick(["|", "b"]), "cleanup": maybe()}
    if kind == "Replace":
        return {"type": kind, "pattern": pattern(), "content": pick(["", " ", "x"])}
    if kind == "Strip":
        return {"type": kind, "content": pick([" ", "a", "▁"]), "start": rng.randint(0, 2), "stop": rng.randint(0, 2) if maybe(0.3) else 0}
    if kind == "Sequence":
        return {"type": kind, "decoders": [decoder(depth + 1) for _ in range(rng.randint(0, 4))]} if depth < 2 else {"type": "Fuse"}
    return {"type": kind}


def spell(word, byte_level):
    if not byte_level:
        return word
    from tokenizers.pre_tokenizers import ByteLevel

    return "".join(w for w, _ in ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(word)) if word else ""


def pieces(samples, byte_level):
    found = {}
    for sample in samples:
        for word in sample.replace(" ", " ▁").split(" "):
            word = spell(word, byte_level)
            for _ in range(3):
                if word:
                    a = rng.randrange(len(word))
                    b = rng.randint(a + 1, min(len(word), a + 5))
                    found[word[a:b]] = True
    return list(found)


def model(samples, byte_level):
    kind = pick(["BPE", "BPE", "BPE", "Unigram", "Unigram", "WordPiece", "WordLevel"])
    chars = sorted({c for s in samples for c in spell(s, byte_level)} | set("▁"))
    rng.shuffle(chars)
    if maybe():
        chars = chars[: len(chars) * 3 // 4]
    bytes_ = [f"<0x{b:02X}>" for b in range(256)] if maybe(0.4) else []
    if bytes_ and maybe(0.2):
        bytes_ = bytes_[:200]
    if kind == "BPE":
        prefix = pick([None, None, None, None, "##", ""])
        suffix = pick([None, None, None, "</w>", ""])
        unk = pick([None, "<unk>", "<unk>"])
        vocab = {}
        add = lambda t: vocab.setdefault(t, len(vocab))
        if unk:
            add(unk)
        for t in bytes_:
            add(t)
        for c in chars:
            add(c)
            if prefix:
                add(prefix + c)
            if suffix:
                add(c + suffix)
                if prefix:
                    add(prefix + c + suffix)
        merges = []
        for piece in pieces(samples, byte_level):
            # pairs grow from the left; with a prefix the right one has it
            left = piece[0]
            if left not in vocab:
                continue
            for c in piece[1:]:
                right = (prefix or "") + c
                if maybe(0.1) and suffix:
                    right += suffix
                if right not in vocab:
                    break
                merged = left + right[len(prefix or ""):]
                add(merged)
                if (left, right) not in merges:
                    merges.append((left, right))
                left = merged
        order = list(range(len(merges)))
        if maybe():
            rng.shuffle(order)
        merges = [merges[i] for i in order]
        old = maybe(0.5) and all(" " not in a + b for a, b in merges)
        return {"type": kind, "dropout": None, "unk_token": unk, "continuing_subword_prefix": prefix, "end_of_word_suffix": suffix, "fuse_unk": maybe(), "byte_fallback": bool(bytes_) and maybe(0.8), "ignore_merges": maybe(0.3), "vocab": vocab, "merges": [f"{a} {b}" if old else [a, b] for a, b in merges]}
    if kind == "Unigram":
        vocab = [["<unk>", 0.0]] + [[b, -rng.randint(5, 20)] for b in bytes_] + [[c, -round(rng.uniform(2, 9), pick([0, 3]))] for c in chars]
        vocab += [[p, -round(rng.uniform(1, 12), pick([0, 3]))] for p in pieces(samples, byte_level)]
        return {"type": kind, "unk_id": pick([0, 0, 0, 0, None]), "vocab": vocab, "byte_fallback": bool(bytes_) and maybe(0.8)}
    vocab = {}
    unk = pick(["[UNK]", "<unk>"])
    vocab[unk] = 0
    for p in pieces(samples, byte_level):
        vocab.setdefault(p, len(vocab))
        if kind == "WordPiece":
            vocab.setdefault("##" + p, len(vocab))
    for c in chars:
        vocab.setdefault(c, len(vocab))
        if kind == "WordPiece":
            vocab.setdefault("##" + c, len(vocab))
    for w in " ".join(samples).split():
        if maybe():
            vocab.setdefault(spell(w, byte_level), len(vocab))
    if kind == "WordLevel":
        return {"type": kind, "vocab": vocab, "unk_token": unk}
    return {"type": kind, "unk_token": unk, "continuing_subword_prefix": "##", "max_input_chars_per_word": pick([100, 5, 12]), "vocab": vocab}


def added(size):
    tokens = []
    for content in rng.sample(["<s>", "</s>", "<unk>", "<|end|>", "art", " art", "THE", "café", "É", "  ", "\n", "ab", "abc", "a b", "▁x", "漢", "[UNK]", "x_1"], rng.randint(0, 6)):
        special = maybe(0.4)
        tokens.append({"id": size + len(tokens) + pick([0, 0, 0, 3]), "content": content, "single_word": maybe(0.3), "lstrip": maybe(0.3), "rstrip": maybe(0.3), "normalized": maybe() if maybe() else not special, "special": special})
    return tokens


small = count <= 200
cases = []
while len(cases) < count:
    samples = [text() for _ in range(4 if small else 12)]
    pre = pre_tokenizer() if maybe(0.85) else None
    norm = normalizer() if maybe(0.7) else None
    byte_level = "ByteLevel" in json.dumps([pre, norm])
    m = model(samples, byte_level)
    file = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added(len(m["vocab"])), "normalizer": norm, "pre_tokenizer": pre, "post_processor": None, "decoder": decoder() if maybe(0.85) else None, "model": m}
    try:
        tokenizer = Tokenizer.from_str(json.dumps(file))
    except BaseException as e:
        cases.append({"file": file, "error": str(e)})
        continue
    ids, decoded = [], []
    texts = samples + [text() for _ in range(2 if small else 12)]
    for t in texts:
        try:
            found = tokenizer.encode(t, add_special_tokens=False).ids
            ids.append(found)
        except BaseException as e:
            ids.append(None)
            decoded.append(None)
            continue
        try:
            decoded.append(tokenizer.decode(found, skip_special_tokens=False))
        except BaseException as e:
            decoded.append(None)
    cases.append({"file": file, "texts": texts, "ids": ids, "decoded": decoded})
json.dump(cases, sys.stdout, ensure_ascii=False, separators=(",", ":"))
