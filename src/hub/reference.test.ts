import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { isSafePath, parseHubReference, referenceText } from "./reference.js";

describe("parseHubReference", () => {
  const model = (name: string, revision = "main", path = "") => ({ type: "model", name, revision, path });
  const dataset = (name: string, revision = "main", path = "") => ({ type: "dataset", name, revision, path });
  test.each([
    ["gpt2", model("gpt2")],
    ["EleutherAI/pythia-70m", model("EleutherAI/pythia-70m")],
    ["EleutherAI/pythia-70m@step1000", model("EleutherAI/pythia-70m", "step1000")],
    ["gpt2@607a30d783dfa663caf39e06633721c8d4cfcd7e", model("gpt2", "607a30d783dfa663caf39e06633721c8d4cfcd7e")],
    ["org/name@refs/pr/7", model("org/name", "refs/pr/7")],
    ["org/name@feature/x", model("org/name", "feature/x")],
    ["Org_1/a.b-c_d", model("Org_1/a.b-c_d")],
    ["hf://org/name", model("org/name")],
    ["hf://models/org/name@v1.0", model("org/name", "v1.0")],
    ["hf://gpt2@main", model("gpt2")],
    ["hf://org/name/checkpoint-10", model("org/name", "main", "checkpoint-10")],
    ["hf://datasets/org/name", dataset("org/name")],
    ["hf://datasets/org/name/", dataset("org/name")],
    ["hf://datasets/squad", dataset("squad")],
    ["hf://datasets/org/name/data/a.parquet", dataset("org/name", "main", "data/a.parquet")],
    ["hf://datasets/org/name@v1/data/a.parquet", dataset("org/name", "v1", "data/a.parquet")],
    [
      "hf://datasets/org/name@refs/convert/parquet/x/0.parquet",
      dataset("org/name", "refs/convert/parquet", "x/0.parquet"),
    ],
    ["hf://datasets/org/name@refs/pr/3", dataset("org/name", "refs/pr/3")],
    ["hf://datasets/org/name@feature%2Fx/a.txt", dataset("org/name", "feature/x", "a.txt")],
  ])("reads %s", (text, reference) => {
    expect(parseHubReference(text)).toEqual(reference);
  });

  test.each([
    "",
    "@main",
    "..",
    "../x",
    "org/../x",
    "org/name/more",
    "/org/name",
    "org//name",
    "org/name/",
    "-org/name",
    "org/.name",
    "org/name.",
    "org/na--me",
    "org/na..me",
    "org/name.git",
    "org/na me",
    "org/n\u00e4me",
    "org/name\n",
    `org/${"x".repeat(97)}`,
    "org\\name",
    "https://huggingface.co/org/name",
    "hf://",
    "hf://datasets",
    "hf://spaces/org/name",
    "hf://org/name/../x",
    "hf://org/name//x",
    "hf://datasets/org/name/a/./b",
    "hf://datasets/org/name/a\0b",
    "org/name@",
    "org/name@..",
    "org/name@../../x",
    "org/name@a..b",
    "org/name@/x",
    "org/name@x/",
    "org/name@.x",
    "org/name@x.lock",
    "org/name@a b",
    "org/name@a?b",
    "org/name@a\\b",
    `org/name@${"x".repeat(256)}`,
  ])("refuses %j", (text) => {
    expect(() => parseHubReference(text)).toThrow(InputError);
  });

  test("says what was expected", () => {
    expect(() => parseHubReference("a/b/c")).toThrow(
      '"a/b/c": "a/b/c" is not the name of a repository: expected org/name, org/name@revision, hf://org/name or hf://datasets/org/name',
    );
    expect(() => parseHubReference("a/b@c d")).toThrow('"a/b@c d": "c d" is not the name of a branch, tag or commit');
  });

  test.each(["gpt2", "org/name@refs/pr/7", "hf://datasets/org/name", "hf://datasets/org/name@feature%2Fx"])(
    "%s is its own shortest text",
    (text) => {
      expect(referenceText(parseHubReference(text))).toBe(text);
    },
  );
});

test("isSafePath keeps to the folder", () => {
  for (const path of ["a", "a/b.c", "..a/b", "a b", "\u00e4"]) expect(isSafePath(path), path).toBe(true);
  for (const path of ["", ".", "..", "/a", "a/", "a//b", "a/../b", "a\\b", "C:a", "a\0", "a\n", "x".repeat(5000)]) {
    expect(isSafePath(path), path).toBe(false);
  }
});
