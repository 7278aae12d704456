import { InputError } from "../../errors.js";
import type { ByteSource } from "../byte-source.js";
import { bytesPerElement, type DType } from "../dtype.js";
import { shapeSize, type TensorEntry } from "../safetensors/safetensors.js";
import { quote } from "../strict-json.js";
import { isKind, type PickleValue, readPickle } from "./pickle.js";
import { checkZipRecord, locateZipRecord, readZipDirectory, type ZipRecord } from "./zip.js";

const storageTypes: Record<string, DType> = {
  "torch.DoubleStorage": "F64",
  "torch.FloatStorage": "F32",
  "torch.HalfStorage": "F16",
  "torch.BFloat16Storage": "BF16",
  "torch.LongStorage": "I64",
  "torch.IntStorage": "I32",
  "torch.ShortStorage": "I16",
  "torch.CharStorage": "I8",
  "torch.ByteStorage": "U8",
  "torch.BoolStorage": "BOOL",
};

const rebuildTensor = "torch._utils._rebuild_tensor_v2";
const rebuildParameter = ["torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"];

const knownGlobals = new Set([
  ...Object.keys(storageTypes),
  rebuildTensor,
  ...rebuildParameter,
  "collections.OrderedDict",
]);

/** A pickle this long describes more tensors than any model has; the numbers themselves are not in it. */
const maxPickleBytes = 32 * 2 ** 20;

/** The first bytes of what torch.save wrote before PyTorch 1.6: a pickled magic number. */
const legacyMagic = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/**
 * The tensors of a state dict that torch.save wrote (`pytorch_model.bin`; PyTorch 1.6 and later), where they lie in the
 * file. Its pickle is read, never executed, and the checksums of what is opened whole are checked. Tensors that share memory share their bytes here too.
 * @param wanted names of the tensor to find, most particular first, so that of the others' records nothing is read; all if left out, or if it has
 * none of them
 * @throws InputError naming the file and the record, tensor or byte that cannot be used
 */
export async function readTorchTensors(
  source: ByteSource,
  wanted?: readonly string[],
): Promise<ReadonlyMap<string, TensorEntry>> {
  await checkStart(source);
  const records = await readZipDirectory(source);
  const archive = findArchive(source, records);
  await checkByteOrder(source, records.get(`${archive}/byteorder`));
  const pickle = records.get(`${archive}/data.pkl`)!;
  if (pickle.byteLength > maxPickleBytes) {
    throw new InputError(source.name, `data.pkl is ${pickle.byteLength} bytes long, above ${maxPickleBytes}`);
  }
  const pickleOffset = await locateZipRecord(source, pickle);
  const bytes = await source.read(pickleOffset, pickle.byteLength);
  const root = readPickle(source.name, bytes, knownGlobals);
  if (!isKind(root, "dict")) throw new InputError(source.name, "holds no dict of tensors (a state dict)");
  const values = new Map<string, PickleValue>();
  for (const [name, value] of root.pairs) {
    if (typeof name !== "string") throw new InputError(source.name, `has a key that is no text: ${typeof name}`);
    if (values.has(name)) throw new InputError(source.name, `names tensor ${quote(name)} twice`);
    values.set(name, value);
  }
  const found = wanted?.find((name) => values.has(name));
  const tensors = new Map<string, TensorEntry>();
  const offsets = new Map<ZipRecord, number>();
  for (const [name, value] of values) {
    if (found !== undefined && name !== found) continue;
    const { record, start, ...tensor } = describeTensor(source, records, archive, name, value);
    const offset = offsets.get(record) ?? (await locateZipRecord(source, record));
    offsets.set(record, offset);
    tensors.set(name, { ...tensor, offset: offset + start, source });
  }
  // Of a file that is searched for one tensor no more than that is read.
  if (wanted === undefined) {
    for (const [record, offset] of [[pickle, pickleOffset] as const, ...offsets]) {
      await checkZipRecord(source, record, offset);
    }
  }
  return tensors;
}

async function checkStart(source: ByteSource): Promise<void> {
  const start = await source.read(0, Math.min(source.size, legacyMagic.length));
  if (legacyMagic.every((byte, i) => start[i] === byte)) {
    throw new InputError(
      source.name,
      "is in the format of PyTorch before 1.6: load it with torch.load and save it again with torch.save",
    );
  }
  if (start[0] !== 0x50 || start[1] !== 0x4b) {
    throw new InputError(source.name, "is not a file that torch.save wrote: it does not start as a zip archive");
  }
}

/** The name of the folder that holds everything in the zip: torch.save calls it after the file. */
function findArchive(source: ByteSource, records: ReadonlyMap<string, ZipRecord>): string {
  const archives = [...records.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (archives.length !== 1) {
    throw new InputError(source.name, `has ${archives.length} data.pkl records where a torch.save file has one`);
  }
  const archive = archives[0]!.slice(0, -"/data.pkl".length);
  if (records.has(`${archive}/constants.pkl`)) {
    throw new InputError(source.name, "is a TorchScript program: save the model's state_dict() with torch.save");
  }
  return archive;
}

async function checkByteOrder(source: ByteSource, record: ZipRecord | undefined): Promise<void> {
  // Files from before PyTorch 2.1 have no such record.
  if (record === undefined) return;
  const bytes = await source.read(await locateZipRecord(source, record), Math.min(record.byteLength, 16));
  const order = new TextDecoder().decode(bytes);
  if (order !== "little") {
    throw new InputError(source.name, `byteorder is ${quote(order)}: only little-endian files can be read`);
  }
}

/** A tensor, the record that it lies in, and where in it. */
function describeTensor(
  source: ByteSource,
  records: ReadonlyMap<string, ZipRecord>,
  archive: string,
  name: string,
  value: PickleValue,
) {
  const refuse = (problem: string) => new InputError(source.name, `tensor ${quote(name)} ${problem}`);
  const args = tensorArguments(value);
  if (args === undefined) {
    throw refuse("is not a tensor: save the model's state_dict() alone, without the optimizer's or other values");
  }
  const [storage, storageOffset, sizes, strides] = args;
  const shape = counts(sizes);
  const steps = counts(strides);
  if (shape === undefined || steps === undefined || steps.length !== shape.length || !isCount(storageOffset)) {
    throw refuse("has a broken size, stride or storage offset");
  }
  const id = isKind(storage, "persistent") && isKind(storage.id, "tuple") ? storage.id.items : [];
  const [tag, type, key, , numel] = id;
  const dtype = isKind(type, "global") ? storageTypes[type.name] : undefined;
  if (tag !== "storage" || dtype === undefined || typeof key !== "string" || !isCount(numel)) {
    throw refuse("has a broken storage");
  }
  const record = records.get(`${archive}/data/${key}`);
  if (record === undefined) throw refuse(`lies in the storage ${quote(`data/${key}`)}, which is missing`);
  const width = bytesPerElement[dtype];
  if (record.byteLength !== numel * width) {
    throw refuse(
      `lies in ${quote(`data/${key}`)}, which has ${record.byteLength} bytes where ${numel} ${dtype} need ${numel * width}`,
    );
  }
  const byteLength = shapeSize(shape, width);
  if (byteLength === undefined || storageOffset * width + byteLength > record.byteLength) {
    throw refuse(`has shape [${shape.join(", ")}], which does not fit into its storage ${quote(`data/${key}`)}`);
  }
  if (byteLength > 0 && !isRowMajor(shape, steps)) {
    throw refuse(
      `of shape [${shape.join(", ")}] is stored with strides [${steps.join(", ")}]: save it again with .contiguous()`,
    );
  }
  return { name, dtype, shape, byteLength, record, start: storageOffset * width };
}

/** What the tensor would be rebuilt from: storage, offset in it, size, strides, ... */
function tensorArguments(value: PickleValue): readonly PickleValue[] | undefined {
  if (!isKind(value, "call")) return undefined;
  if (value.callee.name === rebuildTensor) return value.args;
  const data = rebuildParameter.includes(value.callee.name) ? value.args[0] : undefined;
  return isKind(data, "call") && data.callee.name === rebuildTensor ? data.args : undefined;
}

function isCount(value: PickleValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** PyTorch's own limit on the number of dimensions is 64. */
function counts(value: PickleValue | undefined): readonly number[] | undefined {
  return isKind(value, "tuple") && value.items.length <= 64 && value.items.every(isCount) ? value.items : undefined;
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}
