import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { patienceMs } from "./support/eventually.ts";

/** Bounds for what hangs: on a machine that does other things too, all may take its time. */
const patience = {
  testTimeout: 4 * patienceMs,
  hookTimeout: 4 * patienceMs,
  expect: { poll: { timeout: patienceMs, interval: 20 } },
};

export default defineConfig({
  root: join(import.meta.dirname, ".."),
  test: {
    reporters: ["default"],
    // One number for all, or vitest runs them one after the other. Of three files one waits most of the time: more would
    // only fight for two cores.
    projects: [
      {
        test: {
          ...patience,
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          maxWorkers: 3,
          // No file changes what another imports: loading it all again for each would take as long as the tests.
          isolate: false,
        },
      },
      {
        test: {
          ...patience,
          name: "contract",
          include: ["test/contract/**/*.test.ts"],
          maxWorkers: 3,
          isolate: false,
        },
      },
      {
        test: {
          ...patience,
          name: "integration",
          isolate: false,
          include: ["test/integration/**/*.test.ts"],
          maxWorkers: 3,
        },
      },
    ],
  },
});
