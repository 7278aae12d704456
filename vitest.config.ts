import { configDefaults, defineConfig, type TestUserConfig } from "vitest/config";

/** What every run of tests has in common. */
export const common: TestUserConfig = {
  reporters: ["default", "./scripts/closing-line-reporter.js"],
  // For what hangs: a test takes a second or two, and many times that on a machine that others use too.
  testTimeout: 300_000,
  hookTimeout: 300_000,
  pool: "forks",
  maxWorkers: 2,
  // No test replaces a module: files share what a worker has loaded, which is most of what a small test costs.
  isolate: false,
  // The built command line and its worker threads run as they are.
  server: { deps: { external: [/\/dist\//] } },
};

/** `npm test`: everything that Node and the packages of package.json are enough for. */
export default defineConfig({
  test: {
    ...common,
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/system/**", "test/soak/**"],
  },
});
