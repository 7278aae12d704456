import * as z from "zod";
import { InputError } from "../../errors.js";
import { companions } from "../../hub/companions.js";
import { fileAddress, type HubEntry, listFolder, resolveCommit } from "../../hub/listing.js";
import { type HubReference, referenceText } from "../../hub/reference.js";
import type { Connection } from "../../hub/transfer/exchange.js";
import { Unreachable } from "../../hub/transfer/retry.js";
import type { Folder } from "../../tensor/byte-source.js";
import { checkpointLayouts } from "../../tensor/checkpoint-layouts.js";
import { readWeightMap } from "../../tensor/checkpoint-tensors.js";
import { shardNames } from "../../tensor/gguf/gguf-shards.js";
import type { PartStore } from "./part-store.js";
import { type PartedSource, partedSource } from "./parted-source.js";

/** A repository of the hub at one commit, its files fetched in parts as they are read. */
export interface HubRepository extends Folder {
  open(fileName: string): Promise<PartedSource | undefined>;
  /** The files that a model, or the GGUF file that the reference names, is made of. @throws InputError if there are none */
  modelFiles(): Promise<PartedSource[]>;
}

const listingSchema = z.object({
  commit: z.string().regex(/^[0-9a-f]{40}$/),
  files: z.array(
    z.object({
      path: z.string(),
      size: z.number().int().nonnegative(),
      digest: z.object({ algorithm: z.enum(["sha256", "git-sha1"]), hex: z.string().regex(/^[0-9a-f]{40,64}$/) }),
    }),
  ),
});

interface Listing {
  readonly commit: string;
  readonly files: ReadonlyMap<string, HubEntry>;
}

/** @throws InputError saying what is missing; Unreachable if the hub cannot be had and was never asked before */
export async function openHubRepository(
  reference: HubReference,
  connection: Connection,
  store: PartStore,
  { onBytes, onNotice }: { onBytes(file: PartedSource, count: number): void; onNotice?: (message: string) => void },
): Promise<HubRepository> {
  const place = referenceText(reference);
  const { commit, files } = await listing(reference, connection, store, onNotice);
  const ggufName = /\.gguf$/i.test(reference.path) ? reference.path.split("/").at(-1)! : undefined;
  const folder = ggufName === undefined ? reference.path : reference.path.split("/").slice(0, -1).join("/");
  const inFolder = (name: string) => (folder === "" ? name : `${folder}/${name}`);
  const opened = new Map<string, PartedSource>();

  function sourceOf(path: string): PartedSource | undefined {
    const entry = files.get(path);
    if (entry === undefined) return undefined;
    const known = opened.get(path);
    if (known !== undefined) return known;
    const source: PartedSource = partedSource(
      {
        name: `${place}/${path}`,
        address: fileAddress(connection, reference, commit, path),
        size: entry.size,
        version: entry.digest.hex,
        options: { connection, subject: { reference, file: path } },
      },
      store,
      (count) => onBytes(source, count),
    );
    opened.set(path, source);
    return source;
  }

  const existing = (names: readonly string[]) =>
    names.map((name) => sourceOf(inFolder(name))).filter((source) => source !== undefined);

  return {
    name: place,
    open: async (fileName) => sourceOf(inFolder(fileName)),
    async modelFiles() {
      if (ggufName !== undefined) {
        const shards = existing(shardNames(ggufName));
        if (shards.length === 0) throw new InputError(place, `has no file ${reference.path}`);
        return shards;
      }
      const layout = checkpointLayouts.find(({ file }) => files.has(inFolder(file)));
      const index = layout && sourceOf(inFolder(layout.file));
      const shards = layout?.sharded && index ? existing([...new Set((await readWeightMap(index)).values())]) : [];
      return [...existing(companions), ...(index ? [index] : []), ...shards];
    },
  };
}

/** The files of a revision, from the hub or, where it cannot be reached, as it listed them last. */
async function listing(
  reference: HubReference,
  connection: Connection,
  store: PartStore,
  onNotice: ((message: string) => void) | undefined,
): Promise<Listing> {
  const place = referenceText(reference);
  const folder = reference.path.split("/").slice(0, -1).join("/");
  const key = `${place}#listing/${folder}`;
  const known = await readListing(store, key);
  try {
    // With what was kept to fall back on, a hub that is away is not waited for long.
    const { retry } = connection;
    const patient = known === undefined ? connection : { ...connection, retry: { ...retry, attempts: 2 } };
    const commit = await resolveCommit(patient, reference);
    if (known?.commit === commit) return known;
    const files = await listFolder(connection, reference, commit, folder, true);
    const json = JSON.stringify({ commit, files: [...files.values()] });
    await store.put(key, new TextEncoder().encode(json));
    return { commit, files };
  } catch (error) {
    if (!(error instanceof Unreachable) || known === undefined) throw error;
    onNotice?.(`${error.message}; using the kept commit ${known.commit.slice(0, 8)}`);
    return known;
  }
}

async function readListing(store: PartStore, key: string): Promise<Listing | undefined> {
  const bytes = await store.get(key);
  if (bytes === undefined) return undefined;
  try {
    const { commit, files } = listingSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
    return { commit, files: new Map(files.map((file) => [file.path, file])) };
  } catch {
    // Of another version of this page: it is asked for again.
    return undefined;
  }
}
