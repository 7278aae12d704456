import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    reporters: ["default", "./scripts/closing-line-reporter.js"],
    testTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
