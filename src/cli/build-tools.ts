import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as z from "zod/mini";
import { type BuildDependencies, type CheckDependencies, checkTarball } from "../app-builder/index.ts";
import {
  chooseInstaller,
  defaultOtaLimits,
  packageRole,
  type WorkerAnswer,
  type WorkerRequest,
  workerAnswer,
} from "../ota/index.ts";
import { freeBytes } from "../platform/disk-space.ts";
import { durableFiles } from "../platform/durable-files.ts";
import { installationPath } from "../platform/installation-path.ts";
import { removePath } from "../platform/remove-path.ts";
import { runShell } from "../platform/run-shell.ts";
import { runWorker } from "../platform/worker-process.ts";
import { parseSupervisorConf } from "../supervisor/index.ts";

export interface BuildTools extends BuildDependencies {
  readonly checking: CheckDependencies;
}

/** The developer tools' composition: packages are judged by the engine's own code. */
export function buildTools(
  warn: (warning: string) => void,
  environment: Readonly<Record<string, string | undefined>>,
): BuildTools {
  const checking: CheckDependencies = {
    unpack: unpackAsTheEngine,
    chooseInstaller,
    roleOf: packageRole,
    parseConf: parseSupervisorConf,
    temporaryDirectory: () => mkdtempSync(join(tmpdir(), "gwe-check-")),
    removePath,
  };
  return {
    checking,
    files: durableFiles,
    runShell: (command, directory, env) => runShell(command, directory, { ...environment, ...env }),
    check: (file, name) => checkTarball(file, checking, name),
    warn,
    pid: process.pid,
  };
}

async function unpackAsTheEngine(file: string, into: string): Promise<WorkerAnswer> {
  const { workerHeapMib, unpackTimeoutMs, reserveBytes, maxMembers, maxNameBytes } = defaultOtaLimits;
  const request: WorkerRequest = {
    task: "unpack",
    file,
    into,
    maxBytes: Math.max(0, (await freeBytes(dirname(into))) - reserveBytes),
    maxMembers,
    maxNameBytes,
  };
  const answer = await runWorker({
    nodeFile: process.execPath,
    workerFile: join(installationPath(), "dist/ota-worker.js"),
    heapMib: workerHeapMib,
    timeoutMs: unpackTimeoutMs,
    request,
  });
  return z.parse(workerAnswer, answer);
}
