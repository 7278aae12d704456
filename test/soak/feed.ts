import { parentPort, workerData } from "node:worker_threads";
import fc from "fast-check";
import { InputError } from "../../src/errors.js";
import { bytesSource } from "../../src/tensor/byte-source.js";
import { mutations } from "../support/untrusted-bytes.js";
import { openReaders } from "./readers.js";

/** What a worker is asked to feed to a reader: inputs [from, to), numbered so that each can be made again. */
export interface Feed {
  readonly reader: string;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  /** The number of the input in hand, for who watches from outside. */
  readonly inHand: Int32Array;
}

export interface Fed {
  read: number;
  refused: number;
  slowest: { milliseconds: number; input: number };
  /** Anything but a result or a refusal in one line. */
  failures: { input: number; file: string; what: string }[];
}

const batch = 500;
/** What a file may take outside of JavaScript's heap, for whose size the thread has a limit of its own. */
const mostBufferBytes = 2 ** 30;

/** What came of the inputs. */
async function feed({ reader: name, seed, from, to, inHand }: Feed): Promise<Fed> {
  const reader = (await openReaders())[name]!;
  const files = [...Object.entries(reader.files), ...Object.entries(reader.hostile ?? {})];
  const arbitraries = files.map(([, bytes]) => mutations(reader.reach?.(bytes) ?? bytes.length));
  for (const bytes of Object.values(reader.files)) await reader.read(bytesSource("undamaged", bytes));
  const fed: Fed = { read: 0, refused: 0, slowest: { milliseconds: 0, input: -1 }, failures: [] };
  for (let start = Math.floor(from / batch) * batch; start < to; start += batch) {
    const which = (start / batch) % files.length;
    const [file, bytes] = files[which]!;
    const changes = fc.sample(arbitraries[which]!, { seed: seed + start, numRuns: batch });
    for (let input = Math.max(start, from); input < Math.min(start + batch, to); input++) {
      Atomics.store(inHand, 0, input);
      const began = performance.now();
      try {
        await reader.read(bytesSource("untrusted", changes[input - start]!(bytes)));
        fed.read++;
        if (process.memoryUsage().arrayBuffers > mostBufferBytes) throw new Error("took over 1 GB of buffers");
      } catch (error) {
        const { message, stack } = error as Error;
        if (error instanceof InputError && /^[^\n]{1,1000}$/.test(message)) fed.refused++;
        else fed.failures.push({ input, file, what: stack ?? message });
      }
      const milliseconds = performance.now() - began;
      if (milliseconds > fed.slowest.milliseconds) fed.slowest = { milliseconds, input };
    }
  }
  return fed;
}

parentPort?.postMessage(await feed(workerData as Feed));
