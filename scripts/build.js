// src/ -> dist/: the reports' page scripts are bundled into strings, then everything is compiled with tsc.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

await bundlePageScript("src/report/client/analysis/main.ts", "src/report/analysis/page-script.generated.ts");
await bundlePageScript(
  "src/report/client/dynamics/dynamics-main.ts",
  "src/report/dynamics/dynamics-page-script.generated.ts",
);
await bundlePageScript(
  "src/report/client/steering/steering-main.ts",
  "src/report/steering/steering-page-script.generated.ts",
);
await bundlePageScript(
  "src/report/client/reduction/reduction-main.ts",
  "src/report/reduction/reduction-page-script.generated.ts",
);
await bundlePageScript(
  "src/report/client/comparison/comparison-main.ts",
  "src/report/comparison/comparison-page-script.generated.ts",
);
await bundlePageScript(
  "src/report/client/trimming/trimming-main.ts",
  "src/report/trimming/trim-page-script.generated.ts",
);
rmSync(join(root, "dist"), { recursive: true, force: true });
const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
if (status === 0) {
  await bundleForBrowsers();
  await bundleExplorer();
  writeFileSync(join(root, "dist", ".built"), "");
}
process.exit(status ?? 1);

/**
 * The engine's workers, each with onnxruntime's JavaScript in it and its .wasm file beside it; and beside them the whole library
 * for pages that have no bundler, and the explorer of a page by itself.
 */
async function bundleForBrowsers() {
  const shared = {
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    legalComments: "none",
  };
  const folder = join(root, "dist", "web");
  const runtime = join(root, "node_modules", "onnxruntime-web", "dist");
  for (const file of ["ort-wasm-simd-threaded.wasm", "ort-wasm-simd-threaded.asyncify.wasm"]) {
    copyFileSync(join(runtime, file), join(folder, file));
  }
  await build({
    ...shared,
    entryPoints: ["wasm-worker", "webgpu-worker", "explore-worker"].map((name) =>
      join(root, "src", "web", `${name}.ts`),
    ),
    outdir: folder,
    // Found by the workers themselves, as the file beside them.
    external: ["*.wasm"],
  });
  await build({ ...shared, entryPoints: { unembedding: join(folder, "index.js") }, outdir: folder, splitting: true });
}

/** The explorer's page (src/page), as one script and its parts; and what keeps a page by itself. */
async function bundleExplorer() {
  const folder = join(root, "dist", "page");
  const source = (name) => join(root, "src", "page", name);
  const shared = {
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    legalComments: "none",
    jsx: "automatic",
    jsxImportSource: "preact",
    outdir: folder,
  };
  await build({ ...shared, entryPoints: { explorer: source("main.tsx") }, splitting: true });
  await build({ ...shared, entryPoints: { "unembed-report": source("embed.tsx") } });
  await build({ ...shared, entryPoints: [source("service-worker.ts")], format: "iife" });
}

/** One self-contained script that runs from a file:// page, as a TypeScript module that exports its text. */
async function bundlePageScript(entry, target) {
  if (!existsSync(join(root, entry))) return;
  const { outputFiles } = await build({
    entryPoints: [join(root, entry)],
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    legalComments: "none",
    write: false,
  });
  // "</script" inside the text would end the page's script element.
  const text = outputFiles[0].text.replaceAll("</script", "<\\/script");
  writeFileSync(join(root, target), `export const pageScript: string = ${JSON.stringify(text)};\n`);
}
