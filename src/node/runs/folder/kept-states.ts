import { createHash } from "node:crypto";
import { mkdir, open, readdir, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ReachedStates, StatePlace, StateRows, StateSize, StateType } from "../../../model/pass/state-place.js";
import { readSafetensorsHeader } from "../../../tensor/safetensors/safetensors.js";
import { layOutSafetensors } from "../../../tensor/safetensors/write-safetensors.js";
import { removeEmptyFolders } from "../../files/empty-folders.js";
import { fileRows } from "../../files/file-rows.js";
import { fileError, openFileSource } from "../../files/file-source.js";
import { clearLeftovers, deleteAtExit, temporaryName } from "../../files/leftovers.js";
import { freeBytes } from "../../files/temporary-states.js";
import type { Asked } from "../write/run-record.js";
import { runMetadata, unfinishedFolder } from "./unfinished-names.js";

const dtypes = { float32: "F32", float16: "F16" } as const;
/** Written with every file: another number where its meaning changes. */
const version = 1;
const tensorName = "hidden_states";

/**
 * Hidden states between layers that take turns, in a run's folder while it is not finished: where it is interrupted, or
 * killed, the same run goes on behind the layers that all windows had gone through.
 * @param identity everything that the states depend on
 * @param asked what is said of the run to who finds its folder
 */
export async function keptStates(
  folder: string,
  type: StateType,
  identity: unknown,
  asked: Asked,
): Promise<StatePlace> {
  const place = join(folder, unfinishedFolder);
  const key = createHash("sha256")
    .update(JSON.stringify([version, type, identity]))
    .digest("hex");
  const pathBehind = (layers: number) => join(place, `layers-${layers}.safetensors`);
  await clearLeftovers(join(place, "any"));
  return {
    name: `the run's folder ${folder}`,
    type,
    room: () => freeBytes(folder),
    create: (size) => growing(place, pathBehind(size.layers), size, type, { key, ...runMetadata("analyze", asked) }),
    async found(sizes) {
      let reached: ReachedStates | undefined;
      for (const name of await readdir(place).catch((): string[] => [])) {
        const states = await complete(join(place, name), type, key, sizes);
        if (states === undefined) continue;
        const [more, less] = states.layers > (reached?.layers ?? 0) ? [states, reached] : [reached!, states];
        await less?.states.release();
        reached = more;
      }
      return reached;
    },
  };
}

async function growing(
  place: string,
  path: string,
  { rows, width }: StateSize,
  type: StateType,
  metadata: Readonly<Record<string, string>>,
): Promise<StateRows> {
  const made = await mkdir(place, { recursive: true });
  const temporary = join(place, temporaryName());
  const atExit = deleteAtExit(temporary);
  const file = await open(temporary, "wx+").catch((error) => {
    throw fileError(place, error);
  });
  const { header } = layOutSafetensors([{ name: tensorName, dtype: dtypes[type], shape: [rows, width] }], metadata);
  await file.write(header);
  let current = temporary;
  const close = async (deletes: boolean) => {
    await file.close();
    if (deletes) await rm(current, { force: true });
    atExit.release();
    await removeEmptyFolders(place, made ?? place);
  };
  return {
    ...fileRows(file, { place, type, start: header.length }),
    async complete() {
      await file.datasync();
      await rename(temporary, path);
      current = path;
    },
    leave: () => close(current === temporary),
    release: () => close(true),
  };
}

/** States that lie there whole, of the same run. What is not is deleted: its run is over, or starts anew. */
async function complete(
  path: string,
  type: StateType,
  key: string,
  sizes: readonly StateSize[],
): Promise<ReachedStates | undefined> {
  const layers = Number(/layers-(\d+)\.safetensors$/.exec(path)?.[1]);
  const size = sizes.find((one) => one.layers === layers);
  if (Number.isNaN(layers)) return undefined;
  try {
    const source = await openFileSource(path);
    const { tensors, metadata } = await readSafetensorsHeader(source);
    const found = tensors.get(tensorName);
    const fits = size && found?.dtype === dtypes[type] && `${found.shape}` === `${[size.rows, size.width]}`;
    if (!fits || metadata.key !== key) throw new Error("other states");
    const file = await open(path, "r");
    const close = async (deletes: boolean) => {
      await file.close();
      if (deletes) await rm(path, { force: true });
      if (deletes) await rmdir(dirname(path)).catch(() => undefined);
    };
    return {
      layers,
      states: {
        ...fileRows(file, { place: path, type, start: found.offset }),
        complete: async () => {},
        leave: () => close(false),
        release: () => close(true),
      },
    };
  } catch {
    // Whatever is wrong with it, starting from the beginning is right.
    await rm(path, { force: true });
    return undefined;
  }
}
