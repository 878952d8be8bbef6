import { parsePackageName } from "../../core/package-name.ts";
import { StepFailure } from "../errors.ts";
import { packageRole } from "../package-role.ts";
import type { JobEvent } from "../state-machine.ts";
import { isDowngrade } from "../verification/version-order.ts";
import { packageFile } from "./package-file.ts";
import type { StepContext } from "./step.ts";

/** Whether the job's package is one of the engine itself. */
export function isEnginePackage({ task, app }: Pick<StepContext["job"], "task" | "app">): boolean {
  return task.verb === "install" && packageRole(app) === "engine";
}

/**
 * Whether this engine can be replaced by the job's package; asked before the download, which a no spares.
 * @throws StepFailure saying why it cannot
 */
export function requireReplaceable(context: Pick<StepContext, "deps" | "job">): void {
  const { deps, job } = context;
  const { engineUpdate: engine, allowDowngrade } = deps;
  if (engine === undefined) {
    throw new StepFailure(
      "only a running engine replaces itself: start it, or run the package's own install.sh",
    );
  }
  const refusal = engine.refusal();
  if (refusal !== undefined) throw new StepFailure(refusal);
  const arch = /-linux-([A-Za-z0-9_]+)$/.exec(parsePackageName(fileName(context)).version)?.[1];
  if (arch !== undefined && arch !== engine.arch) {
    throw new StepFailure(`the package is for ${arch}, and this gateway is ${engine.arch}`);
  }
  if (!allowDowngrade && isDowngrade(engine.version, job.version)) {
    throw new StepFailure(
      `version ${job.version} is older than the engine's ${engine.version}, and allow_downgrade is false`,
    );
  }
}

function fileName({ deps, job }: Pick<StepContext, "deps" | "job">): string {
  const { source } = job;
  if (source.kind === "content") return source.id;
  return packageFile({ deps, job }).split("/").at(-1) ?? "";
}

/**
 * Waits until the new version has proved itself or the former one is back; the engine restarts meanwhile.
 * @throws the signal's reason when aborted
 */
export async function activateEngine({ deps, signal }: StepContext): Promise<JobEvent> {
  const outcome = (await deps.engineUpdate?.outcome(signal)) ?? { kind: "proved" };
  return outcome.kind === "proved"
    ? { type: "activated", note: "", probation: false }
    : { type: "went-back", note: outcome.reason };
}
