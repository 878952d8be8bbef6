import { join } from "node:path";
import { defineConfig } from "vitest/config";

// What the emulator promises, on PostgreSQL: the same files that `npm test` runs on SQLite, and those of several processes.
export default defineConfig({
  root: join(import.meta.dirname, "../.."),
  test: {
    reporters: ["default"],
    include: [
      "test/contract/{emulator,console,rollouts,fleet}/**/*.test.ts",
      "test/contract/client-and-emulator*.test.ts",
      "test/unit/emulator/history.test.ts",
      "test/postgres/**/*.test.ts",
    ],
    globalSetup: ["test/postgres/cluster-setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    isolate: false,
  },
});
