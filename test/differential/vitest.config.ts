import { join } from "node:path";
import { defineConfig } from "vitest/config";

// Beside the original, which needs its real seconds: apart from `npm test`.
export default defineConfig({
  root: join(import.meta.dirname, "../.."),
  test: {
    include: ["test/differential/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    // They wait for real seconds most of the time.
    maxConcurrency: 10,
    // Real seconds on a machine that is busy for a moment: a difference between the two comes up again.
    retry: 1,
  },
});
