import { join } from "node:path";
import type { AppKind } from "../../core/app-status.ts";
import type { DurableFiles } from "../../platform/durable-files.ts";
import { StepFailure } from "../errors.ts";
import type { Fallback, UnpackedApp } from "../state-machine.ts";
import { keptVersion } from "../versions-on-disk.ts";
import type { UnpackedPackage } from "../worker/protocol.ts";
import { isEnginePackage } from "./engine-package.ts";
import { packageFile, removeLeftover } from "./package-file.ts";
import type { StepContext } from "./step.ts";
import { requireWhole } from "./verify.ts";
import { askWorker } from "./worker-client.ts";

const stagingPrefix = ".unpacking-";

/**
 * Unpacks the package into a directory of its own that appears under its name only when everything in it is on disk
 * and it is known to be installable.
 *
 * @throws PackageLostError when the file is gone; StepFailure when the package is at fault or the disk too small
 */
export async function unpack(
  context: StepContext,
  sizeBytes: number | null,
): Promise<{ readonly app: UnpackedApp; readonly fallback: Fallback }> {
  const { deps, job, versions } = context;
  const { files } = deps.platform;
  await requireWhole(context, sizeBytes);
  const parent = versions.appDirectory(job.app);
  files.ensureDirectory(parent);
  const staging = join(parent, `${stagingPrefix}${job.id}-${job.transitions}`);
  try {
    await files.remove(staging);
    const { package: unpacked } = await askWorker(
      context,
      {
        task: "unpack",
        file: packageFile(context),
        into: staging,
        maxBytes: Math.max(0, (await files.freeBytes(parent)) - deps.limits.reserveBytes),
        maxMembers: deps.limits.maxMembers,
        maxNameBytes: deps.limits.maxNameBytes,
      },
      "unpacked",
    );
    const installer = chooseInstaller(unpacked);
    await requireInterpreter(files, unpacked);
    const directory = await publish(context, join(staging, unpacked.root));
    const app = { directory, installer, kind: isEnginePackage(job) ? "library" : kindOf(unpacked) } as const;
    // Before anything of the package runs: a bad supervisor.conf fails the installation while nothing has changed.
    deps.host.validate({ name: job.app, version: job.version, kind: app.kind, directory });
    return { app, fallback: await fallbackOf(context) };
  } finally {
    await removeLeftover(deps, staging);
  }
}

/** The registered version, where it is one that can be put back. */
async function fallbackOf({ deps, job }: StepContext): Promise<Fallback> {
  const installed = deps.host.installed(job.app);
  if (installed === undefined || installed.kind === "one-off") return { kind: "none" };
  const kept = await keptVersion(deps.platform.files, installed);
  return kept === undefined
    ? { kind: "none" }
    : { kind: "version", version: { ...kept, kind: installed.kind } };
}

/** Removes what earlier runs left half-unpacked in an app's directory. */
export async function removeStaleStaging(
  { deps, versions }: Pick<StepContext, "deps" | "versions">,
  app: string,
): Promise<void> {
  const parent = versions.appDirectory(app);
  for (const name of await deps.platform.files.list(parent)) {
    if (name.startsWith(stagingPrefix)) await removeLeftover(deps, join(parent, name));
  }
}

async function publish({ deps, job, versions }: StepContext, unpacked: string): Promise<string> {
  const { files } = deps.platform;
  const parent = versions.appDirectory(job.app);
  const taken = new Set((await files.list(parent)).map((name) => join(parent, name)));
  const directory = versions.claim(job.app, job.version, job.id, taken);
  // Only a crash right after the move below can have left it: the job never got to using it.
  if (taken.has(directory)) await files.remove(directory);
  await files.move(unpacked, directory);
  return directory;
}

/**
 * What a package is installed by.
 * @throws StepFailure when there is nothing that could
 */
export function chooseInstaller({ installScript, setupScript }: UnpackedPackage): UnpackedApp["installer"] {
  if (installScript === null) {
    if (setupScript) return "setup.py";
    throw new StepFailure("the package has neither an install.sh nor a setup.py at its top level");
  }
  if (!installScript.executable) {
    throw new StepFailure(
      "install.sh is not executable: set its x bit (chmod +x install.sh) and pack it again",
    );
  }
  return "install.sh";
}

/** Found now, a missing interpreter is a clear answer; found by `exec`, it is "not found" about a file that is there. */
async function requireInterpreter(files: DurableFiles, { installScript }: UnpackedPackage): Promise<void> {
  const interpreter = installScript?.interpreter ?? null;
  // Without a shebang the system's shell runs it.
  if (interpreter === null || (await files.isExecutable(interpreter))) return;
  const hint = interpreter.endsWith("\r") ? "; the file has DOS line ends" : "";
  throw new StepFailure(
    `install.sh names the interpreter ${JSON.stringify(interpreter)}, which this gateway does not have${hint}`,
  );
}

function kindOf({ supervisorConf, installScript }: UnpackedPackage): AppKind {
  if (supervisorConf) return "long-running";
  return installScript === null ? "library" : "one-off";
}
