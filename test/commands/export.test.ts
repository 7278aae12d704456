import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { env, pipeline } from "@huggingface/transformers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unembed } from "../support/command.js";

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  env.allowRemoteModels = false;
  folder = await mkdtemp(join(tmpdir(), "unembed-export-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("as ONNX a model writes in transformers.js what it writes itself", async () => {
  const { code, stdout, stderr } = await unembed(["export", "--out", at("onnx"), "--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout)).toMatchObject({ model: "tiny-books", format: "onnx", out: at("onnx") });
  const prompt = "The old captain looked at the";
  const asked = ["--prompt", prompt, "--temperature", "0", "--max-tokens", "12", "--json", "--quiet"];
  const own = JSON.parse((await unembed(["generate", ...asked])).stdout);
  const generator = await pipeline("text-generation", at("onnx"), {
    device: "cpu",
    session_options: { intraOpNumThreads: 1 },
  });
  const [written] = (await generator(prompt, { max_new_tokens: 12, do_sample: false })) as { generated_text: string }[];
  expect(written!.generated_text).toBe(prompt + own.texts[0].text);
  await generator.dispose();
});

test("as safetensors a tied model stays tied, its weights byte for byte", async () => {
  const args = ["export", "tiny-books", "--format", "safetensors", "--out", at("plain")];
  const { code, stdout } = await unembed(args);
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: `tiny-books as safetensors: 10,644,480 bytes of weights in ${at("plain")}\n`,
  });
  const config = async (path: string) => JSON.parse(await readFile(join(path, "config.json"), "utf8"));
  expect(await config(at("plain"))).toEqual(await config("assets/tiny-books"));
  const card = async (path: string) => readFile(join(path, "README.md"), "utf8");
  expect(await card(at("plain"))).toBe(await card("assets/tiny-books"));
  const compared = await unembed([
    ...["compare", "tiny-books", at("plain"), "--tokens", "500", "--out", at("compared"), "--json", "--quiet"],
  ]);
  expect(JSON.parse(compared.stdout).kl.max).toBe(0);

  expect((await unembed([...args, "--quiet"])).stderr).toMatch(/plain: is there already; --force replaces it/);
  expect(await unembed([...args, "--quiet", "--force"])).toEqual({ code: 0, stdout: "", stderr: "" });
});

test("nowhere to write is bad usage, and nothing is left of a model that cannot be opened", async () => {
  expect((await unembed(["export"])).code).toBe(2);
  const before = await readdir(folder);
  const { code, stderr } = await unembed(["export", at("no-such-model"), "--out", at("of nothing")]);
  expect({ code, lines: stderr.trim().split("\n").length }).toEqual({ code: 1, lines: 1 });
  expect(await readdir(folder)).toEqual(before);
});
