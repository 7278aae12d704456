import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    reporters: ["default", "./scripts/closing-line-reporter.js"],
    // For what hangs: a test takes a second or two, and many times that on a machine that others use too.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Tests of connections that are cut depend on when the machine gives each end its turn.
    retry: process.env.CI ? 1 : 0,
    pool: "forks",
    maxWorkers: 2,
    // No test replaces a module: files share what a worker has loaded, which is most of what a small test costs.
    isolate: false,
    // The built command line and its worker threads run as they are.
    server: { deps: { external: [/\/dist\//] } },
  },
});
