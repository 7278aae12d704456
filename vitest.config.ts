import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    reporters: ["default", "./scripts/closing-line-reporter.js"],
    testTimeout: 60_000,
    // Tests of connections that are cut depend on when the machine gives each end its turn.
    retry: process.env.CI ? 1 : 0,
    pool: "forks",
    maxWorkers: 2,
  },
});
