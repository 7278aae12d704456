"""Writes the Parquet files of this folder (pyarrow 25). Their documents are listed in parquet.json."""
import json
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

here = pathlib.Path(__file__).parent
text = (here / "../tiny-books/check.txt").read_text(encoding="utf8")[:6000]
cuts = [0, 900, 1700, 1710, 1710, 3000, 4500, 5999, 6000]
documents = [text[a:b] for a, b in zip(cuts, cuts[1:])]
documents += ["你好，世界。", "\U0001f600 é", "", "again", "again", "again", "a\r\nb\u0000c", "\ufeffmark"]
with_nulls = [x for document in documents for x in (document, None)] + [None] * 5

optional = pa.table({"id": list(range(len(with_nulls))), "text": pa.array(with_nulls, pa.string())})
required = pa.table(
    [pa.array(documents, pa.string()), pa.array([[d] for d in documents])],
    schema=pa.schema([pa.field("text", pa.string(), nullable=False), pa.field("parts", pa.list_(pa.string()))]),
)
nested = pa.table({"doc": pa.array([None if d is None else {"body": d, "n": 1} for d in with_nulls])})


def write(name, table, **options):
    pq.write_table(table, here / f"{name}.parquet", **options)


write("snappy", optional, compression="snappy", row_group_size=9)
write("small-pages", optional, compression="snappy", data_page_size=100, write_batch_size=3, dictionary_pagesize_limit=2000)
write("zstd-v2", optional, compression="zstd", data_page_version="2.0", use_dictionary=False, row_group_size=20)
write("gzip", required, compression="gzip", use_dictionary=False)
write("plain", required, compression="none", write_statistics=True)
write("dictionary-v2", required, compression="zstd", data_page_version="2.0")
write("nested", nested, compression="snappy", data_page_size=500)
for encoding in ["DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"]:
    name = encoding.lower().replace("_byte_array", "").replace("_", "-")
    write(name, optional, compression="none", use_dictionary=False, column_encoding={"text": encoding, "id": "PLAIN"})
write("brotli", required, compression="brotli")
write("brotli-v2", optional, compression="brotli", data_page_version="2.0", data_page_size=1000)
write("lz4", optional, compression="lz4", row_group_size=9)
write("checksum", optional, compression="snappy", write_page_checksum=True)
# What a filter or a partition leaves: no rows, with the type of the column or, from pandas, without one.
write("no-rows", optional.slice(0, 0))
write("no-rows-no-type", pa.table({"text": pa.nulls(0)}))
write("nulls-no-type", pa.table({"id": [1, 2], "text": pa.nulls(2)}))
# One block of LZ4, for pages that frame theirs as Hadoop does.
(here / "block.lz4").write_bytes(pa.compress(text[:3000].encode(), codec="lz4_raw", asbytes=True))
bomb = pa.table({"text": pa.array(["x" * 1_000_000] * 300)})
write("bomb", bomb, compression="zstd", use_dictionary=False)
write("repeats", bomb, compression="zstd")
(here / "parquet.json").write_text(json.dumps({"optional": with_nulls, "required": documents}, ensure_ascii=True))
