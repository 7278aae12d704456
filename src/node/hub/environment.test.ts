import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readHubEnvironment } from "./environment.js";

const home = homedir();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-environment-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("readHubEnvironment", () => {
  // What huggingface_hub.constants 1.33 says with the same variables.
  test.each([
    [{}, `${home}/.cache/huggingface/hub`, `${home}/.cache/huggingface/assets`],
    [{ XDG_CACHE_HOME: "/x" }, "/x/huggingface/hub", "/x/huggingface/assets"],
    [{ XDG_CACHE_HOME: "/x", HF_HOME: "/h" }, "/h/hub", "/h/assets"],
    [{ HF_HOME: "/h", HUGGINGFACE_HUB_CACHE: "/old" }, "/old", "/h/assets"],
    [{ HF_HOME: "/h", HUGGINGFACE_HUB_CACHE: "/old", HF_HUB_CACHE: "/new" }, "/new", "/h/assets"],
    [{ HF_HOME: "~/hf" }, `${home}/hf/hub`, `${home}/hf/assets`],
    [{ HF_HOME: "$DISK/${" + "PART}/hf", DISK: "/d", PART: "p" }, "/d/p/hf/hub", "/d/p/hf/assets"],
    [{ HF_HOME: "/h/$UNSET" }, "/h/$UNSET/hub", "/h/$UNSET/assets"],
    [{ HF_HOME: "/h", HF_ASSETS_CACHE: "/a" }, "/h/hub", "/a"],
  ])("%j", async (variables: Record<string, string>, cacheFolder, assetsFolder) => {
    expect(await readHubEnvironment(variables)).toMatchObject({ cacheFolder, assetsFolder });
  });

  test("takes the token from the variable, then from the file", async () => {
    await writeFile(join(folder, "token"), "hf_file\n");
    await writeFile(join(folder, "other"), "hf_other");
    const token = async (variables: Record<string, string>) => (await readHubEnvironment(variables)).token;
    expect(await token({ HF_HOME: folder })).toBe("hf_file");
    expect(await token({ HF_HOME: folder, HF_TOKEN: " hf_variable\r\n" })).toBe("hf_variable");
    expect(await token({ HF_HOME: folder, HUGGING_FACE_HUB_TOKEN: "hf_old" })).toBe("hf_old");
    expect(await token({ HF_HOME: folder, HF_TOKEN_PATH: join(folder, "other") })).toBe("hf_other");
    expect(await token({ HF_HOME: folder, HF_HUB_DISABLE_IMPLICIT_TOKEN: "1" })).toBeUndefined();
    expect(await token({ HF_HOME: join(folder, "none") })).toBeUndefined();
  });

  test("refuses a token that would break a header, without repeating it", async () => {
    const refusal = readHubEnvironment({ HF_HOME: folder, HF_TOKEN: "hf_a\nx: y" });
    await expect(refusal).rejects.toThrow("HF_TOKEN: holds characters that no access token has: copy the token again");
  });

  test("reads the endpoint and the offline switch", async () => {
    const read = (variables: Record<string, string>) => readHubEnvironment({ HF_HOME: folder, ...variables });
    expect(await read({})).toMatchObject({ endpoint: "https://huggingface.co", offline: false });
    expect(await read({ HF_ENDPOINT: "http://127.0.0.1:80/hub/" })).toMatchObject({ endpoint: "http://127.0.0.1/hub" });
    for (const value of ["1", "on", "YES", "True"]) {
      expect(await read({ HF_HUB_OFFLINE: value })).toMatchObject({ offline: true });
    }
    expect(await read({ HF_HUB_OFFLINE: "0" })).toMatchObject({ offline: false });
    expect(await read({ TRANSFORMERS_OFFLINE: "1" })).toMatchObject({ offline: true });
    for (const endpoint of ["huggingface.co", "ftp://x", "http://user@x", "nonsense"]) {
      await expect(read({ HF_ENDPOINT: endpoint })).rejects.toThrow("HF_ENDPOINT: ");
    }
  });
});
