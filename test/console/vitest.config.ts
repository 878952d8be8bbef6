import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { patienceMs } from "../support/eventually.ts";

// A real browser beside real engines: apart from `npm test`, one file after the other.
export default defineConfig({
  root: join(import.meta.dirname, "../.."),
  test: {
    include: ["test/console/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: patienceMs } },
    fileParallelism: false,
  },
});
