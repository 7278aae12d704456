import { defineConfig } from "vitest/config";
import { common } from "./vitest.config.js";

/** `npm run test:system`: what needs another program, such as a browser, and what takes processes of its own: kills, examples of the documents. */
export default defineConfig({
  test: { ...common, include: ["test/system/**/*.test.ts"], globalSetup: "test/system/say-what-is-missing.ts" },
});
