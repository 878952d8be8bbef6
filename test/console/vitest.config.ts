import { join } from "node:path";
import { defineConfig } from "vitest/config";

// A real browser beside real engines: apart from `npm test`, one file after the other.
export default defineConfig({
  root: join(import.meta.dirname, "../.."),
  test: {
    include: ["test/console/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
