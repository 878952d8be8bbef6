import type { OtaPlatform } from "../ota/index.ts";
import { attendedGroup, attendedHasEnded, attendedOutcome } from "../platform/attendant/attended-outcome.ts";
import { attendantEnded, startAttended } from "../platform/attendant/attended-run.ts";
import { durableFiles } from "../platform/durable-files.ts";
import { ensureDirectory, writeFileAtomic } from "../platform/files.ts";
import { probeUrl } from "../platform/http-probe.ts";
import { acquireInstanceLock } from "../platform/instance-lock.ts";
import { inOwnScope } from "../platform/own-scope.ts";
import {
  bootId,
  isSameProcessAlive,
  openProcessState,
  processesMarked,
  processStartTicks,
  signalMarked,
} from "../platform/process-table.ts";
import { emptyFileAbove, removePath } from "../platform/remove-path.ts";
import { runProcess, signalGroup } from "../platform/run-process.ts";
import { spawnDetached } from "../platform/spawn-detached.ts";
import { runWorker } from "../platform/worker-process.ts";
import type { SupervisorSystem } from "../supervisor/index.ts";

/** The real operating system behind each feature's port. */
export const otaPlatform: OtaPlatform = {
  files: durableFiles,
  startAttended,
  attendantEnded,
  attendedHasEnded,
  attendedOutcome,
  attendedGroup,
  runWorker,
  processStartTicks,
  isSameProcessAlive,
  processesMarked,
  signalMarked,
  signalGroup,
  bootId,
};

/** Under systemd, no end of the engine's unit is one of an installer's too. */
export const servicePlatform: OtaPlatform = {
  ...otaPlatform,
  startAttended: (options) =>
    startAttended({
      ...options,
      start: (line) => inOwnScope("gateway-engine-installers.slice", options.command, line),
    }),
};

export const supervisorSystem: SupervisorSystem = {
  bootId,
  processStartTicks,
  isSameProcessAlive,
  openProcessState,
  writeFileAtomic,
  ensureDirectory,
  removePath,
  emptyFileAbove,
  acquireInstanceLock,
  spawnDetached,
  runProcess,
  probeUrl,
};
