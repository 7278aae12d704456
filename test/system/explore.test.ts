import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { type Browser, chromium, type Locator, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { corpus, loadModel, planEdits, steer, storeText } from "../../src/index.js";
import { textProbes } from "../../src/steering/probes/text-probes.js";
import { bytesSource } from "../../src/tensor/byte-source.js";
import { readSafetensorsHeader, readTensorFloat64 } from "../../src/tensor/safetensors/safetensors.js";
import { browserPath, QUIET_BROWSER } from "../support/browser.js";
import { type PageServer, servePages } from "../support/page-server.js";
import { smallBooks } from "../support/small-books.js";

const text = "assets/corpus/books-fit.txt";
/** Of a test that waits for what a page computes, on a machine that does other things too. */
const patience = { timeout: 40_000 };
/** As many as the page reads unless it is asked. */
const tokens = 8192;
const rooms = ["Open", "Read", "Steer", "Shrink", "Trim", "Watch", "Compare", "Take home"];

describe.skipIf(browserPath === undefined)("the explorer", { timeout: 180_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "unembed-explore-"));
  const model = join(folder, "site", "tiny-books");
  let browser: Browser;
  let host: PageServer;
  let command: ChildProcess;
  let served: string;
  /** Rows of ` the` and their ids, as the library bans it. */
  let wanted: { ids: Int32Array; values: Float64Array };

  beforeAll(async () => {
    const built = spawnSync(process.execPath, ["scripts/site.js"], { encoding: "utf8" });
    expect(built.stderr).toBe("");
    const site = built.stdout.trim();
    cpSync(site, join(folder, "site"), { recursive: true, filter: (path) => basename(path) !== "tiny-books" });
    await smallBooks(model);
    const run = ["analyze", model, "--corpus", text, "--tokens", "1024", "--out", join(folder, "run"), "--quiet"];
    expect(spawnSync(process.execPath, ["bin/unembed.js", ...run]).status).toBe(0);
    host = await servePages(
      { below: join(folder, "site"), page: "dist/page", run: join(folder, "run") },
      {
        "/hostile": "<!doctype html><title>hostile</title>",
        "/embedded": `<!doctype html><script type="module" src="page/unembed-report.js"></script>
          <unembed-report src="run"></unembed-report>`,
      },
    );
    command = spawn(process.execPath, ["bin/unembed.js", "explore", model, "--corpus", text, "--no-open", "--json"]);
    const line = await new Promise<string>((resolve) => createInterface(command.stdout!).once("line", resolve));
    served = JSON.parse(line).url;
    browser = await chromium.launch({ executablePath: browserPath!, args: QUIET_BROWSER });
    wanted = await bannedRows();
  }, 120_000);
  afterAll(async () => {
    command?.kill("SIGINT");
    await browser?.close();
    await host?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function bannedRows() {
    const library = await loadModel(model);
    const books = corpus(text);
    const contexts = await storeText(library, books, { tokens });
    const probes = await textProbes(library, { fit: books }, { most: 4096 });
    const plan = await planEdits(library, [{ token: " the", spec: "ban" }]);
    const { solution } = await steer(library, plan, { corpus: books, contexts, probes, allowUnsafe: true });
    await library.close();
    return solution.rows;
  }

  async function open(address: string, options: Parameters<Browser["newContext"]>[0] = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(address);
    return { context, page, errors };
  }

  const note = (page: Page) => page.locator(".edit .note");
  const written = (page: Page) => page.locator(".written .text").nth(1);
  const room = (page: Page, name: string) => page.getByRole("navigation").getByRole("button", { name, exact: true });

  /** The head that a page gives is the library's own. @param tolerance of the largest number of a row */
  async function expectHead(page: Page, take: () => Promise<void>, tolerance: number) {
    const coming = page.waitForEvent("download", patience);
    await take();
    const file = await (await coming).path();
    const bytes = new Uint8Array(readFileSync(file));
    const { tensors } = await readSafetensorsHeader(bytesSource("head", bytes));
    const weight = [...tensors.values()].find(({ shape }) => shape.length === 2)!;
    const values = await readTensorFloat64(weight);
    const d = weight.shape[1]!;
    const largest = wanted.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    let difference = 0;
    for (const [j, id] of wanted.ids.entries()) {
      for (let i = 0; i < d; i++) {
        difference = Math.max(difference, Math.abs(values[id * d + i]! - wanted.values[j * d + i]!));
      }
    }
    expect(difference / largest).toBeLessThan(tolerance);
  }

  test("bans a word by the keyboard alone, sees it, and takes the head home", async () => {
    const { context, page, errors } = await open(served);
    await expect.poll(() => page.locator(".next tbody tr").count(), patience).toBeGreaterThan(10);
    const tabTo = async (place: Locator) => {
      for (let presses = 0; presses < 200; presses++) {
        if (await place.evaluate((element) => element === document.activeElement)) return;
        await page.keyboard.press("Tab");
      }
      throw new Error(`Tab never comes to ${place}`);
    };
    await tabTo(page.locator("#selector"));
    await page.keyboard.type(" the");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator(".edit").count(), patience).toBe(1);
    const next = page.locator(".next tbody");
    const before = await next.textContent();
    await tabTo(page.getByRole("slider").first());
    await page.keyboard.press("ArrowLeft");
    await tabTo(page.getByRole("checkbox", { name: "Ban" }));
    await page.keyboard.press("Space");
    await expect.poll(() => note(page).textContent(), patience).toMatch(/never above/);
    await expect.poll(() => next.textContent()).not.toBe(before);
    expect(await page.locator(".next tr.edited").textContent()).toContain("the");
    await tabTo(page.getByRole("button", { name: "Write text with both" }));
    await page.keyboard.press("Enter");
    await expect.poll(async () => (await written(page).textContent())?.length, patience).toBeGreaterThan(60);
    // Edited tokens are marked: the one that is banned is never written.
    expect(await written(page).locator("mark").count()).toBe(0);
    await tabTo(room(page, "Take home"));
    await page.keyboard.press("Enter");
    const table = page.getByRole("button", { name: /^Changed table/ });
    await table.waitFor();
    await tabTo(table);
    await expectHead(page, () => page.keyboard.press("Enter"), 1e-6);
    expect(errors).toEqual([]);
    await context.close();
  });

  test.each([
    [360, "light"],
    [360, "dark"],
    [1280, "light"],
    [1280, "dark"],
  ] as const)("fits %i pixels, %s, and axe finds nothing serious in any room", async (width, colorScheme) => {
    const { context, page, errors } = await open(served, { viewport: { width, height: 800 }, colorScheme });
    await page.evaluate(readFileSync("node_modules/axe-core/axe.min.js", "utf8"));
    for (const name of rooms) {
      await room(page, name).click();
      await expect.poll(() => room(page, name).getAttribute("aria-current")).toBe("page");
      const found = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
        const { violations } = await axe.run();
        const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
        return {
          over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
          serious: serious.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`),
        };
      });
      expect({ name, ...found }).toEqual({ name, over: 0, serious: [] });
    }
    expect(errors).toEqual([]);
    await context.close();
  });

  test("a page of another origin can neither ask it nor read it", async () => {
    const { page: own, context } = await open(served);
    await room(own, "Read").click();
    await expect.poll(() => room(own, "Read").getAttribute("aria-current")).toBe("page");
    const { page, context: other } = await open(`${host.address}/hostile`);
    const answers = await page.evaluate(async (url) => {
      const body = JSON.stringify({ type: "go", room: "open" });
      const post = (init: RequestInit) =>
        fetch(`${url}actions`, { method: "POST", body, ...init }).then(
          ({ type, status }) => `${type} ${status}`,
          () => "failed",
        );
      return {
        read: await fetch(url).then(
          () => "read",
          () => "failed",
        ),
        json: await post({ headers: { "content-type": "application/json", "x-unembed-token": "guess" } }),
        simple: await post({ headers: { "content-type": "text/plain" } }),
        opaque: await post({ mode: "no-cors" }),
      };
    }, served);
    expect(answers).toEqual({
      read: "failed",
      json: "failed",
      simple: "failed",
      opaque: expect.stringMatching(/^(?:failed|opaque 0)$/),
    });
    expect(await room(own, "Read").getAttribute("aria-current")).toBe("page");
    await Promise.all([context.close(), other.close()]);
  });

  describe("as a static page", () => {
    const site = () => `${host.address}/below/index.html`;
    const opened = async (page: Page) => {
      await expect.poll(() => page.locator(".next tbody tr").count(), patience).toBeGreaterThan(10);
    };

    test("what cannot be opened is one sentence, and the page goes on", async () => {
      const { context, page } = await open(site(), { serviceWorkers: "block" });
      await opened(page);
      await room(page, "Open").click();
      const problem = page.getByRole("alert");
      const said = async () => {
        await problem.waitFor(patience);
        const sentence = await problem.textContent();
        await problem.getByRole("button").click();
        return sentence;
      };
      const config = readFileSync(join(model, "config.json"));
      await page
        .locator('input[type="file"]')
        .first()
        .setInputFiles([
          { name: "config.json", mimeType: "application/json", buffer: config },
          { name: "model.safetensors", mimeType: "application/octet-stream", buffer: Buffer.from("no header here") },
        ]);
      expect(await said()).toMatch(/model\.safetensors: /);
      await context.route("https://huggingface.co/**", (route) =>
        route.fulfill({ status: 404, headers: { "access-control-allow-origin": "*" }, body: "{}" }),
      );
      await page.locator("#hub-name").fill("someone/nothing");
      await page.keyboard.press("Enter");
      expect(await said()).toMatch(/someone\/nothing: /);
      await context.setOffline(true);
      await page.locator("#hub-name").fill("someone/other");
      await page.keyboard.press("Enter");
      expect(await said()).toMatch(/someone\/other: |huggingface\.co/);
      await room(page, "Steer").click();
      await opened(page);
      await context.close();
    });

    test("a run's folder is shown by <unembed-report>, and one that is none is said", async () => {
      const { context, page, errors } = await open(`${host.address}/embedded`);
      await expect.poll(() => page.locator("unembed-report svg").count(), patience).toBeGreaterThan(3);
      expect(await page.locator("unembed-report .eyebrow").first().textContent()).toMatch(/R² = 0\.\d+/);
      await page.locator("unembed-report").evaluate((element) => element.setAttribute("src", "nothing"));
      await expect.poll(() => page.getByRole("alert").textContent(), patience).toMatch(/nothing cannot be shown/);
      expect(errors).toEqual([]);
      await context.close();
    });
  });
});

interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string }[];
}
