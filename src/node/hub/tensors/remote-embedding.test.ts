import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { openHubSession } from "../../../../test/hub-session.js";
import { bytesSource } from "../../../tensor/byte-source.js";
import { readTensor } from "../../../tensor/safetensors/safetensors.js";
import { readTorchTensors } from "../../../tensor/torch/torch-zip.js";
import { parseHubReference } from "../reference.js";
import { fetchRemoteEmbedding } from "./remote-embedding.js";

test("of pytorch_model.bin reads the directory, the pickle and the one record that is needed", async () => {
  const session = await openHubSession();
  try {
    const bytes = new Uint8Array(await readFile("test/goldens/torch/kinds.bin"));
    const all = [...(await readTorchTensors(bytesSource("kinds", bytes))).values()];
    const wanted = all.find(({ shape }) => shape.length === 2 && !shape.includes(0))!;
    await session.hub.add("org/name", "step1", { "pytorch_model.bin": bytes });
    const { environment, retry, hub } = session;
    const reference = parseHubReference("org/name@step1");
    const { entry, fetchedBytes } = await fetchRemoteEmbedding(reference, wanted.name, { environment, retry });
    expect(await readTensor(entry)).toEqual(await readTensor(wanted));
    expect(fetchedBytes).toBe(hub.bytesSent(/signature/));
    const ranges = hub.requests.flatMap(({ at, range }) => (at === "cdn" && range ? [range] : []));
    const read = ranges.map((range) => /(\d+)-(\d+)/.exec(range)!.slice(1).map(Number) as [number, number]);
    // Of the other tensors, neither the numbers nor the headers of their records are read.
    for (const { name, offset, byteLength } of all) {
      if (offset === wanted.offset || byteLength === 0) continue;
      expect(
        read.filter(([start, end]) => start < offset + byteLength && end >= offset - 1),
        name,
      ).toEqual([]);
    }
    expect(new Set(ranges).size).toBe(ranges.length);
    expect(ranges.length).toBeLessThan(all.length);
  } finally {
    await session.close();
  }
});
