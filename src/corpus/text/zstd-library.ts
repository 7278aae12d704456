import { ZSTDDecoder } from "zstddec/stream";

/** What zstd's own library exports, as zstddec compiles it; sizes and addresses are unsigned 32-bit numbers. */
interface Library {
  readonly memory: WebAssembly.Memory;
  malloc(size: number): number;
  free(address: number): void;
  ZSTD_createDCtx(): number;
  ZSTD_freeDCtx(context: number): void;
  ZSTD_decompress(output: number, outputSize: number, input: number, inputSize: number): number;
  ZSTD_decompressStream(context: number, output: number, input: number): number;
  ZSTD_DStreamInSize(): number;
  ZSTD_DStreamOutSize(): number;
}

/** Zstandard data as it comes. */
export interface ZstdDecoder {
  /** What comes of more bytes, in copies. @throws RangeError if they are broken */
  decode(bytes: Uint8Array): Generator<Uint8Array, void>;
  /** Whether a frame has begun that has not ended. */
  isInside(): boolean;
  /** Gives its memory back; to be called however the reading ends. */
  close(): void;
}

/** Results above it are errors, by ZSTD_isError. */
const leastError = 2 ** 32 - 200;
/** A window may take 128 MB. WebAssembly's memory never shrinks: above this a new one is taken where nothing is open. */
const mostKept = 2 ** 26;

let module: Promise<WebAssembly.Module> | undefined;
let library: Promise<Library> | undefined;
let open = 0;

/**
 * A decoder over zstddec's WebAssembly rather than its functions: those leave a stream that is broken or not read to its end
 * in memory for good, up to 128 MB each.
 */
export async function openZstdDecoder(): Promise<ZstdDecoder> {
  const zstd = await takeLibrary();
  const [inputSize, outputSize] = [zstd.ZSTD_DStreamInSize(), zstd.ZSTD_DStreamOutSize()];
  const context = zstd.ZSTD_createDCtx();
  const inputBuffer = zstd.malloc(2 * bufferBytes + inputSize + outputSize);
  const outputBuffer = inputBuffer + bufferBytes;
  const input = outputBuffer + bufferBytes;
  const output = input + inputSize;
  let left = 0;
  let isClosed = false;
  return {
    *decode(bytes) {
      if (context === 0 || inputBuffer === 0) throw new RangeError("there is no memory left for a decoder");
      for (let start = 0; start < bytes.length; start += inputSize) {
        const piece = bytes.subarray(start, start + inputSize);
        new Uint8Array(zstd.memory.buffer).set(piece, input);
        setBuffer(zstd, inputBuffer, input, piece.length);
        for (let isMore = true; isMore; ) {
          setBuffer(zstd, outputBuffer, output, outputSize);
          left = checked(zstd.ZSTD_decompressStream(context, outputBuffer, inputBuffer));
          const made = position(zstd, outputBuffer);
          isMore = position(zstd, inputBuffer) < piece.length || made === outputSize;
          if (made > 0) yield new Uint8Array(zstd.memory.buffer).slice(output, output + made);
        }
      }
    },
    isInside: () => left !== 0,
    close() {
      if (isClosed) return;
      isClosed = true;
      zstd.ZSTD_freeDCtx(context);
      zstd.free(inputBuffer);
      giveBack(zstd);
    },
  };
}

/** Decompresses one frame. @param size of the result @throws RangeError if it is broken, or has more */
export async function unzstd(bytes: Uint8Array, size: number): Promise<Uint8Array> {
  const zstd = await takeLibrary();
  const input = zstd.malloc(bytes.length);
  const output = zstd.malloc(size);
  try {
    if (input === 0 || output === 0) throw new RangeError(`there is no room for ${size} bytes of Zstandard data`);
    new Uint8Array(zstd.memory.buffer).set(bytes, input);
    const made = checked(zstd.ZSTD_decompress(output, size, input, bytes.length));
    return new Uint8Array(zstd.memory.buffer).slice(output, output + made);
  } finally {
    zstd.free(input);
    zstd.free(output);
    giveBack(zstd);
  }
}

/** ZSTD_inBuffer and ZSTD_outBuffer: an address, a size, and how far it is used. */
const bufferBytes = 12;

function setBuffer({ memory }: Library, buffer: number, address: number, size: number): void {
  new Uint32Array(memory.buffer, buffer, 3).set([address, size, 0]);
}

function position({ memory }: Library, buffer: number): number {
  return new Uint32Array(memory.buffer, buffer, 3)[2]!;
}

function checked(result: number): number {
  if (result >>> 0 > leastError) throw new RangeError(`Zstandard data is broken (error ${2 ** 32 - (result >>> 0)})`);
  return result >>> 0;
}

async function takeLibrary(): Promise<Library> {
  library ??= instantiate();
  open++;
  return library;
}

function giveBack(zstd: Library): void {
  open--;
  if (open === 0 && zstd.memory.buffer.byteLength > mostKept) library = undefined;
}

async function instantiate(): Promise<Library> {
  module ??= compiled();
  const env = { emscripten_notify_memory_growth() {} };
  const { exports } = await WebAssembly.instantiate(await module, { env });
  return exports as unknown as Library;
}

/** The module that zstddec brings; it hands it over when it is ready itself. */
async function compiled(): Promise<WebAssembly.Module> {
  const decoder = new ZSTDDecoder();
  return new Promise((resolve, reject) => {
    decoder._init = (result) => resolve(result.module);
    decoder.init().catch(reject);
  });
}
