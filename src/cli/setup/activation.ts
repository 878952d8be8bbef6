import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { CikStore, type Paths } from "../../config/index.ts";
import type { EngineStatus } from "../../core/control-api.ts";
import { describeError } from "../../core/errors.ts";
import { configIo } from "../../daemon/config-io.ts";
import { ensureDirectory } from "../../platform/files.ts";
import { acquireInstanceLock } from "../../platform/instance-lock.ts";
import { runProcess } from "../../platform/run-process.ts";
import { ControlClient } from "../control-client.ts";
import type { OpenDevice } from "../device.ts";
import { EngineNotRunningError, TryLaterError } from "../errors.ts";

const engineUnit = "gateway-engine.service";

export interface ActivationRequest {
  readonly paths: Paths;
  readonly device: OpenDevice;
  readonly productId: string;
  readonly serial: string;
}

const lockWaitMs = 10_000;

/**
 * Activates in this process and writes the CIK. No engine can start meanwhile: two that activate would void each
 * other's CIK.
 * @throws LockedError when an engine runs; DeviceApiError as `activate` does
 */
export async function activateHere({ paths, device, productId, serial }: ActivationRequest): Promise<void> {
  ensureDirectory(paths.runDir, 0o755);
  const lock = acquireInstanceLock(paths.engineLock, {
    waitMs: lockWaitMs,
    heldMessage: "an engine runs already, and takes the new configuration up at its next start",
  });
  try {
    // No abort signal: an answer that nobody waits for would carry the only valid CIK.
    const cik = await device.api.activate({ vendor: productId, model: productId, sn: serial });
    new CikStore({ paths, io: configIo }).replace(cik);
  } finally {
    lock.release();
  }
}

/** What runs the engine now. `unit`: systemd does, or keeps trying to. */
export async function engineOwner(paths: Paths): Promise<"unit" | "shell" | "nobody"> {
  if (hasUnits(paths)) {
    const state = await systemctl(["show", "-P", "ActiveState", engineUnit]);
    if (state.text !== "inactive" && state.text !== "failed") return "unit";
  }
  try {
    await new ControlClient({ socketPath: paths.controlSocket }).status();
    return "shell";
  } catch (error) {
    if (error instanceof EngineNotRunningError) return "nobody";
    throw error;
  }
}

/** Whether this engine is one that systemd can start. */
export function hasUnits({ home }: Paths): boolean {
  return (
    home === null &&
    existsSync("/run/systemd/system") &&
    ["/etc", "/usr/lib", "/lib"].some((place) => existsSync(`${place}/systemd/system/${engineUnit}`))
  );
}

const activationPatienceMs = 90_000;

/**
 * (Re)starts the engine's unit and resolves when it has checked in.
 * @throws TryLaterError saying what holds it up
 */
export async function startAndWait({ controlSocket }: Paths): Promise<EngineStatus> {
  // An engine that is not ready within systemd's patience is tried again: what it says is asked of itself.
  await systemctl(["restart", engineUnit]);
  const client = new ControlClient({ socketPath: controlSocket });
  const deadline = performance.now() + activationPatienceMs;
  let trouble = "it does not answer: 'journalctl -u gateway-engine' says why";
  while (performance.now() < deadline) {
    try {
      const status = await client.status();
      if (status.checkIn.lastSuccessAtMs !== null) return status;
      trouble = status.checkIn.lastError ?? "it has not tried yet";
    } catch (error) {
      if (!(error instanceof EngineNotRunningError)) trouble = describeError(error);
    }
    await delay(250);
  }
  throw new TryLaterError(`the engine runs, and has not checked in so far: ${trouble}`);
}

async function systemctl(
  args: readonly string[],
): Promise<{ readonly isDone: boolean; readonly text: string }> {
  const { end, exitCode, output } = await runProcess({
    command: "systemctl",
    args,
    cwd: "/",
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    timeoutMs: 90_000,
    killAfterMs: 1_000,
    maxOutputBytes: 4096,
  });
  return { isDone: end === "exited" && exitCode === 0, text: output.toString("utf8").trim() };
}
