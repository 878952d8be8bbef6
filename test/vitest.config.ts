import { join } from "node:path";
import { defineConfig } from "vitest/config";

// Integration tests start real engines, real pm2 daemons and real emulators: on two cores more than two
// such files at a time only fight for the processor.
export default defineConfig({
  root: join(import.meta.dirname, ".."),
  test: {
    reporters: ["default"],
    projects: [
      // Properties run hundreds of cases: on a machine that does other things too that may take its time.
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 20_000 } },
      {
        test: {
          name: "contract",
          include: ["test/contract/**/*.test.ts"],
          testTimeout: 20_000,
          maxWorkers: 2,
          // No file changes what another imports: loading it all again for each would take as long as the tests.
          isolate: false,
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
