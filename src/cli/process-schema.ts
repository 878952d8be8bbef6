import * as z from "zod/mini";
import { appStates } from "../core/app-status.ts";
import { processFaults } from "../core/process-api.ts";

/** Shapes of src/core/process-api.ts. Unknown keys pass: a newer engine may say more than this command knows. */
const process = z.looseObject({
  group: z.string(),
  name: z.string(),
  state: z.enum(appStates),
  pid: z.exactOptional(z.number()),
  startedAtMs: z.exactOptional(z.number()),
  endedAtMs: z.exactOptional(z.number()),
  spawnError: z.exactOptional(z.string()),
  stdoutLog: z.exactOptional(z.string()),
  stderrLog: z.exactOptional(z.string()),
  autostart: z.boolean(),
  priority: z.number(),
});

const result = z.looseObject({
  group: z.string(),
  name: z.string(),
  fault: z.nullable(z.enum(processFaults)),
  description: z.string(),
});

export const processSchemas = {
  processes: z.array(process),
  results: z.array(result),
  changes: z.looseObject({ changed: z.array(z.string()) }),
};
