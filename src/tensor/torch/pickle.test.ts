import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mutations, readUntrusted } from "../../../test/support/untrusted-bytes.js";
import { InputError } from "../../errors.js";
import { bytesSource } from "../byte-source.js";
import { type PickleValue, readPickle } from "./pickle.js";
import { locateZipRecord, readZipDirectory } from "./zip.js";

const globals = new Set(["collections.OrderedDict", "torch.FloatStorage"]);

/** A pickle written as text, each character one byte. */
function read(pickle: string): PickleValue {
  return readPickle(
    "file",
    Uint8Array.from(pickle, (character) => character.charCodeAt(0)),
    globals,
  );
}

describe("readPickle", () => {
  test("reads numbers, text and nothing", () => {
    const cases: [pickle: string, value: PickleValue][] = [
      ["N.", null],
      ["\x88.", true],
      ["\x89.", false],
      ["K\xff.", 255],
      ["M\x01\x02.", 513],
      ["J\xfe\xff\xff\xff.", -2],
      ["\x8a\x00.", 0],
      ["\x8a\x05\x00\x00\x00\x00\x01.", 2 ** 32],
      ["\x8a\x02\x00\xff.", -256],
      ["G\x3f\xf8\x00\x00\x00\x00\x00\x00.", 1.5],
      ["X\x02\x00\x00\x00\xc3\xa9.", "é"],
      ["\x8c\x01a.", "a"],
    ];
    for (const [pickle, value] of cases) {
      expect(read(pickle)).toBe(value);
      expect(read(`\x80\x02${pickle}`)).toBe(value);
    }
  });

  test("reads what Python writes for nested values", () => {
    // pickle.dumps({"a": [1, (2, 3)], "b": ()}, protocol=2) of Python 3.11.
    const protocol2 =
      "\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01K\x02K\x03\x86q\x03eX\x01\x00\x00\x00bq\x04)u.";
    // The same with protocol=4.
    const protocol4 =
      "\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94]\x94(K\x01K\x02K\x03\x86\x94e\x8c\x01b\x94)u.";
    const value: PickleValue = {
      kind: "dict",
      pairs: [
        ["a", { kind: "list", items: [1, { kind: "tuple", items: [2, 3] }] }],
        ["b", { kind: "tuple", items: [] }],
      ],
    };
    expect(read(protocol2)).toEqual(value);
    expect(read(protocol4)).toEqual(value);
  });

  test("keeps what is shared shared, even a list that holds itself", () => {
    const list = read("]q\x00h\x00a.") as { items: PickleValue[] };
    expect(list.items[0]).toBe(list);
    let doubling = "(]q\x00";
    for (let i = 0; i < 100; i++) {
      const [last, next] = [String.fromCharCode(i), String.fromCharCode(i + 1)];
      doubling += `]q${next}(h${last}h${last}e`;
    }
    const { items } = read(`${doubling}t.`) as { items: PickleValue[] };
    expect(items.length).toBe(101);
  });

  test("never calls or looks anything up", () => {
    expect(read("ctorch\nFloatStorage\nK\x01\x85R.")).toEqual({
      kind: "call",
      callee: { kind: "global", name: "torch.FloatStorage" },
      args: [1],
    });
    expect(read("ccollections\nOrderedDict\n)RX\x01\x00\x00\x00aNs}b.")).toEqual({
      kind: "dict",
      pairs: [["a", null]],
    });
    expect(read("K\x07Q.")).toEqual({ kind: "persistent", id: 7 });
  });

  const cases: [what: string, pickle: string, problem: string][] = [
    [
      "a global that is not wanted",
      "\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.",
      'pickle byte 2: names "os.system", which is not executed: save the tensors alone, or as safetensors',
    ],
    [
      "a global by way of the stack",
      "\x8c\x02os\x8c\x06system\x93.",
      'pickle byte 12: names "os.system", which is not executed: save the tensors alone, or as safetensors',
    ],
    ["an unknown opcode", "N0.", "pickle byte 1: opcode 48 is not part of a plain file of tensors"],
    ["an unknown protocol", "\x80\x06N.", "pickle byte 0: protocol 6; known are 2 to 5"],
    ["a pickle cut off", "X\x05\x00\x00\x00ab.", "pickle byte 0: the pickle ends in the middle of it: cut off"],
    ["a pickle that never ends", "N", "pickle byte 1: the pickle ends in the middle of it: cut off"],
    ["a line that never ends", "cos", "pickle byte 0: the pickle ends in the middle of it: cut off"],
    ["an empty pickle", ".", "pickle byte 0: ends with 0 values where one is wanted"],
    ["left-over values", "NN.", "pickle byte 2: ends with 2 values where one is wanted"],
    ["a mark as value", "(.", "pickle byte 1: the stack is empty"],
    ["a tuple without mark", "Nt.", "pickle byte 1: the stack has no mark"],
    ["a tuple across a mark", "N(\x86.", "pickle byte 2: the stack is empty"],
    ["a value that was not stored", "h\x05.", "pickle byte 0: recalls value 5, which was not stored"],
    ["items of no dict", "NNNs.", "pickle byte 3: sets the items of something that is no dict"],
    ["an odd number of items", "}(Nu.", "pickle byte 3: sets the items of something that is no dict"],
    ["a dict as key", "}}Ns.", "pickle byte 3: a dict key that is neither text nor a number"],
    ["items of no list", "NNa.", "pickle byte 2: appends to something that is no list"],
    ["a call of no function", "N)R.", "pickle byte 2: calls something that is no function"],
    ["broken UTF-8", "\x8c\x01\xff.", "pickle byte 0: text is not valid UTF-8"],
    ["too large a number", "\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x40.", "pickle byte 0: a whole number is beyond 2^53"],
    ["a very long number", "\x8a\x09123456789.", "pickle byte 0: a whole number of 9 bytes"],
    [
      "a frame beyond the end",
      "\x95\xff\x00\x00\x00\x00\x00\x00\x00N.",
      "pickle byte 0: a frame beyond the end of the pickle",
    ],
  ];
  test.each(cases)("refuses %s", (_, pickle, problem) => {
    expect(() => read(pickle)).toThrow(new InputError("file", problem));
  });

  test("survives any damage", async () => {
    for (const name of ["kinds", "kinds_protocol_4"]) {
      const archive = new Uint8Array(await readFile(`test/goldens/torch/${name}.bin`));
      const source = bytesSource("archive", archive);
      const record = (await readZipDirectory(source)).get(`${name}/data.pkl`)!;
      const [offset, byteLength] = [await locateZipRecord(source, record), record.byteLength];
      const pickle = archive.subarray(offset, offset + byteLength);
      await fc.assert(
        fc.asyncProperty(mutations(pickle.length), async (mutate) => {
          await readUntrusted(mutate(pickle), async (source) =>
            readPickle(source.name, await source.read(0, source.size), globals),
          );
        }),
        { numRuns: 500 },
      );
    }
  });
});
