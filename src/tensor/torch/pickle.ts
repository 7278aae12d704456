import { quote } from "../strict-json.js";
import { pickleBytes } from "./pickle-bytes.js";

/** A class or function that the pickle names. It is a name and nothing else: nothing is ever looked up or called. */
export interface PickleGlobal {
  readonly kind: "global";
  /** Module and name, joined by a dot. */
  readonly name: string;
}

export interface PickleTuple {
  readonly kind: "tuple";
  readonly items: readonly PickleValue[];
}

export interface PickleList {
  readonly kind: "list";
  readonly items: PickleValue[];
}

/** A dict, or a collections.OrderedDict. */
export interface PickleDict {
  readonly kind: "dict";
  /** As they were set; Python keeps the last one of each key. */
  readonly pairs: [key: PickleValue, value: PickleValue][];
}

/** What Python would make by calling `callee` with `args`. */
export interface PickleCall {
  readonly kind: "call";
  readonly callee: PickleGlobal;
  readonly args: readonly PickleValue[];
}

/** Something that lies outside the pickle, by the id that the writer gave it. */
export interface PicklePersistent {
  readonly kind: "persistent";
  readonly id: PickleValue;
}

export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleGlobal
  | PickleTuple
  | PickleList
  | PickleDict
  | PickleCall
  | PicklePersistent;

/** About forty opcodes describe a tensor: enough for a hundred thousand of them. */
const maxOpcodes = 2 ** 22;

const mark = Symbol("mark");
type StackItem = PickleValue | typeof mark;

/**
 * Reads a Python pickle of protocol 2 to 5 without executing anything: a small subset of the opcodes
 * (https://github.com/python/cpython/blob/main/Lib/pickletools.py), and only the named globals.
 * Memory and time are linear in the bytes: nothing is copied, so what the pickle shares stays shared.
 * @param place file, and record in it, for messages
 * @param globals what it may name, as "module.name"
 * @throws InputError naming the byte that cannot be read
 */
export function readPickle(place: string, bytes: Uint8Array, globals: ReadonlySet<string>): PickleValue {
  const reader = pickleBytes(place, bytes);
  const { refuse } = reader;
  const stack: StackItem[] = [];
  const memo = new Map<number, PickleValue>();

  function pop(): PickleValue {
    const value = stack.pop();
    if (value === undefined || value === mark) throw refuse("the stack is empty");
    return value;
  }

  function top(): PickleValue {
    const value = stack.at(-1);
    if (value === undefined || value === mark) throw refuse("the stack is empty");
    return value;
  }

  function popToMark(): PickleValue[] {
    const from = stack.lastIndexOf(mark);
    if (from < 0) throw refuse("the stack has no mark");
    return stack.splice(from).slice(1) as PickleValue[];
  }

  function global(module: PickleValue, name: PickleValue): PickleGlobal {
    if (typeof module !== "string" || typeof name !== "string") throw refuse("a global without a name");
    const fullName = `${module}.${name}`;
    if (!globals.has(fullName))
      throw refuse(`names ${quote(fullName)}, which is not executed: save the tensors alone, or as safetensors`);
    return { kind: "global", name: fullName };
  }

  function call(): PickleValue {
    const args = pop();
    const callee = pop();
    if (!isKind(callee, "global") || !isKind(args, "tuple")) throw refuse("calls something that is no function");
    if (callee.name !== "collections.OrderedDict") return { kind: "call", callee, args: args.items };
    if (args.items.length > 0) throw refuse("an OrderedDict made from arguments");
    return { kind: "dict", pairs: [] };
  }

  function setItems(items: readonly PickleValue[]): void {
    const dict = top();
    if (!isKind(dict, "dict") || items.length % 2 !== 0) throw refuse("sets the items of something that is no dict");
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i]!;
      if (typeof key === "object" && key !== null) throw refuse("a dict key that is neither text nor a number");
      dict.pairs.push([key, items[i + 1]!]);
    }
  }

  function append(items: readonly PickleValue[]): void {
    const list = top();
    if (!isKind(list, "list")) throw refuse("appends to something that is no list");
    for (const item of items) list.items.push(item);
  }

  function recall(key: number): PickleValue {
    const value = memo.get(key);
    if (value === undefined) throw refuse(`recalls value ${key}, which was not stored`);
    return value;
  }

  function tuple(length: number): PickleTuple {
    const items = Array.from({ length }, pop).reverse();
    return { kind: "tuple", items };
  }

  const opcodes: Record<number, () => void> = {
    // PROTO
    128: () => {
      const protocol = reader.uint8();
      if (protocol < 2 || protocol > 5) throw refuse(`protocol ${protocol}; known are 2 to 5`);
    },
    // FRAME
    149: () => {
      if (reader.uint64() > reader.left) throw refuse("a frame beyond the end of the pickle");
    },
    // NONE, NEWTRUE, NEWFALSE
    78: () => stack.push(null),
    136: () => stack.push(true),
    137: () => stack.push(false),
    // BININT, BININT1, BININT2, LONG1, BINFLOAT
    74: () => stack.push(reader.int32()),
    75: () => stack.push(reader.uint8()),
    77: () => stack.push(reader.uint16()),
    138: () => stack.push(reader.long(reader.uint8())),
    71: () => stack.push(reader.float64()),
    // BINUNICODE, SHORT_BINUNICODE
    88: () => stack.push(reader.text(reader.uint32())),
    140: () => stack.push(reader.text(reader.uint8())),
    // MARK, EMPTY_TUPLE, TUPLE1, TUPLE2, TUPLE3, TUPLE
    40: () => stack.push(mark),
    41: () => stack.push({ kind: "tuple", items: [] }),
    133: () => stack.push(tuple(1)),
    134: () => stack.push(tuple(2)),
    135: () => stack.push(tuple(3)),
    116: () => stack.push({ kind: "tuple", items: popToMark() }),
    // EMPTY_LIST, APPEND, APPENDS
    93: () => stack.push({ kind: "list", items: [] }),
    97: () => append([pop()]),
    101: () => append(popToMark()),
    // EMPTY_DICT, SETITEM, SETITEMS
    125: () => stack.push({ kind: "dict", pairs: [] }),
    115: () => setItems(tuple(2).items),
    117: () => setItems(popToMark()),
    // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
    113: () => memo.set(reader.uint8(), top()),
    114: () => memo.set(reader.uint32(), top()),
    148: () => memo.set(memo.size, top()),
    104: () => stack.push(recall(reader.uint8())),
    106: () => stack.push(recall(reader.uint32())),
    // GLOBAL, STACK_GLOBAL
    99: () => {
      const module = reader.line();
      stack.push(global(module, reader.line()));
    },
    147: () => {
      const name = pop();
      stack.push(global(pop(), name));
    },
    // BINPERSID, REDUCE
    81: () => stack.push({ kind: "persistent", id: pop() }),
    82: () => stack.push(call()),
    // BUILD: the attributes of an object, such as the version numbers beside a state dict; no tensor is in them.
    98: () => {
      pop();
      top();
    },
  };

  const stop = 46;
  for (let count = 1; ; count++) {
    const opcode = reader.opcode();
    if (count > maxOpcodes) throw refuse(`more than ${maxOpcodes} opcodes`);
    if (opcode === stop) break;
    const execute = opcodes[opcode];
    if (execute === undefined) throw refuse(`opcode ${opcode} is not part of a plain file of tensors`);
    execute();
  }
  if (stack.length !== 1) throw refuse(`ends with ${stack.length} values where one is wanted`);
  return pop();
}

export function isKind<Kind extends "global" | "tuple" | "list" | "dict" | "call" | "persistent">(
  value: PickleValue | undefined,
  kind: Kind,
): value is Extract<PickleValue, { kind: Kind }> {
  return typeof value === "object" && value !== null && value.kind === kind;
}
