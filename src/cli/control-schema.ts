import * as z from "zod/mini";
import { appStates } from "../core/app-status.ts";

/** Shapes of src/core/control-api.ts. Unknown keys pass: a newer engine may say more than this command knows. */
const processStatus = z.looseObject({
  name: z.string(),
  state: z.enum(appStates),
  sinceMs: z.number(),
  pid: z.exactOptional(z.number()),
  startedAtMs: z.exactOptional(z.number()),
  endedAtMs: z.exactOptional(z.number()),
  restarting: z.exactOptional(z.literal(true)),
  exitStatus: z.exactOptional(z.number()),
  signal: z.exactOptional(z.string()),
  restarts: z.number(),
  logFile: z.exactOptional(z.string()),
  stderrLogFile: z.exactOptional(z.string()),
  detail: z.exactOptional(z.string()),
  health: z.exactOptional(z.enum(["ok", "failing"])),
  healthRestarts: z.exactOptional(z.number()),
  healthDetail: z.exactOptional(z.string()),
});

const appStatus = z.extend(processStatus, {
  version: z.string(),
  kind: z.enum(["long-running", "one-off", "library"]),
  processes: z.exactOptional(z.array(processStatus)),
});

const jobStatus = z.looseObject({
  app: z.string(),
  version: z.string(),
  state: z.string(),
  receivedBytes: z.exactOptional(z.number()),
  totalBytes: z.exactOptional(z.number()),
});

const engineStatus = z.looseObject({
  engine: z.looseObject({
    version: z.string(),
    pid: z.number(),
    startedAtMs: z.number(),
    home: z.nullable(z.string()),
  }),
  device: z.looseObject({
    vendor: z.string(),
    model: z.string(),
    serial: z.string(),
    server: z.string(),
    activated: z.boolean(),
  }),
  checkIn: z.looseObject({
    mode: z.enum(["interval", "long-poll"]),
    intervalS: z.number(),
    lastSuccessAtMs: z.nullable(z.number()),
    nextAtMs: z.nullable(z.number()),
    lastError: z.nullable(z.string()),
  }),
  clock: z.looseObject({
    nowMs: z.number(),
    trustedBy: z.nullable(z.string()),
    wallErrorMs: z.nullable(z.number()),
  }),
  outbox: z.looseObject({ waiting: z.number() }),
  jobs: z.array(jobStatus),
  apps: z.array(appStatus),
});

const installResult = z.looseObject({
  name: z.string(),
  version: z.string(),
  status: z.string(),
  exitCode: z.nullable(z.number()),
  output: z.string(),
});
const installResults = z.array(installResult);

const jobRecords = z.array(
  z.looseObject({
    app: z.string(),
    version: z.string(),
    action: z.string(),
    status: z.string(),
    startedAtMs: z.nullable(z.number()),
    finishedAtMs: z.nullable(z.number()),
    exitCode: z.nullable(z.number()),
    output: z.string(),
  }),
);

const controlError = z.looseObject({ error: z.looseObject({ code: z.string(), message: z.string() }) });

export const controlSchemas = {
  appStatus,
  engineStatus,
  installResult,
  installResults,
  jobRecords,
  controlError,
};
