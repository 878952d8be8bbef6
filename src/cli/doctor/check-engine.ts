import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { engineVersion, loadQueueConfig, type Paths } from "../../config/index.ts";
import type { AppStatus } from "../../core/app-status.ts";
import type { EngineStatus } from "../../core/control-api.ts";
import { describeError } from "../../core/errors.ts";
import { ControlClient } from "../control-client.ts";
import { formatDuration } from "../duration.ts";
import { ControlAccessError, EngineNotRunningError } from "../errors.ts";
import { judgeEngineClock } from "./check-clock.ts";
import { type Finding, fault, note, ok, warning } from "./finding.ts";
import { whoListens } from "./listeners.ts";

/** The running engine as it tells of itself, pm2, the applications, and the queue's port. */
export async function checkEngine(paths: Paths): Promise<readonly Finding[]> {
  const { status, findings } = await askEngine(paths);
  return [
    ...findings,
    ...(status === undefined ? [] : [judgeEngineClock(status.clock), ...judgeStatus(status)]),
    await checkPm2(paths, status),
    ...(status?.apps ?? []).flatMap(judgeApp),
    ...checkPort(paths, status),
  ];
}

async function askEngine(
  paths: Paths,
): Promise<{ readonly status?: EngineStatus; readonly findings: readonly Finding[] }> {
  try {
    return { status: await new ControlClient({ socketPath: paths.controlSocket }).status(), findings: [] };
  } catch (error) {
    if (error instanceof EngineNotRunningError) {
      const start =
        paths.home === null
          ? "'systemctl start gateway-engine'; 'journalctl -u gateway-engine' says why it ended"
          : "start it: 'gwe'";
      return { findings: [fault("engine", "the engine is not running", start)] };
    }
    if (error instanceof ControlAccessError)
      return { findings: [note("engine", describeError(error), "run 'gwe doctor' as root")] };
    return {
      findings: [
        fault(
          "engine",
          `the engine does not answer (${describeError(error)})`,
          "'systemctl restart gateway-engine'; applications run on",
        ),
      ],
    };
  }
}

/** What a running engine's own account shows to be wrong. Its times are by its own clock. */
export function judgeStatus({ engine, device, checkIn, outbox, clock }: EngineStatus): readonly Finding[] {
  const { nowMs } = clock;
  const findings: Finding[] = [];
  if (engine.version !== engineVersion) {
    findings.push(
      warning(
        "engine",
        `version ${engine.version} runs, ${engineVersion} is installed`,
        "'systemctl restart gateway-engine'; applications run on",
      ),
    );
  } else
    findings.push(
      ok("engine", `version ${engine.version} runs, for ${formatDuration(nowMs - engine.startedAtMs)}`),
    );
  const { lastSuccessAtMs: last, intervalS, lastError } = checkIn;
  const why = lastError === null ? "" : `; the last one failed: ${lastError}`;
  const overdueMs = 3 * 1000 * intervalS + 600_000;
  if (!device.activated)
    findings.push(
      fault(
        "engine",
        `the engine has not activated${why}`,
        "what is said of network and murano here shows why",
      ),
    );
  else if (last === null && nowMs - engine.startedAtMs > 600_000)
    findings.push(
      fault(
        "engine",
        `no check-in since the engine's start${why}`,
        "what is said of network and murano here shows why",
      ),
    );
  else if (last !== null && nowMs - last > overdueMs)
    findings.push(
      fault(
        "engine",
        `the last check-in was ${formatDuration(nowMs - last)} ago${why}`,
        "'gwe check-in', and see what is said of network and murano here",
      ),
    );
  else if (lastError !== null)
    findings.push(
      warning(
        "engine",
        `the last check-in failed: ${lastError}`,
        "it is tried again; 'gwe check-in' does so now",
      ),
    );
  else if (last !== null)
    findings.push(ok("engine", `the last check-in was ${formatDuration(nowMs - last)} ago`));
  if (outbox.waiting > 50)
    findings.push(
      warning(
        "engine",
        `${outbox.waiting} reports wait to be sent`,
        "'gwe check-in' sends them as soon as Murano is reached",
      ),
    );
  return findings;
}

async function checkPm2({ pm2Home }: Paths, status: EngineStatus | undefined): Promise<Finding> {
  const socket = `${pm2Home}/rpc.sock`;
  if (await socketAnswers(socket)) return ok("pm2", "pm2's daemon answers");
  if (status === undefined) return note("pm2", "pm2's daemon does not run: the engine starts it");
  return fault(
    "pm2",
    "the engine runs, and pm2's daemon does not answer",
    "'systemctl restart gateway-engine-pm2' (restarts the applications); the engine mends it by itself within a minute",
  );
}

/** Whether somebody accepts connections on a Unix socket. */
export function socketAnswers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path: socketPath });
    const settle = (up: boolean): void => {
      resolve(up);
      socket.destroy();
    };
    socket.setTimeout(5_000, () => settle(false));
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}

/** An application that is not as it is wanted. */
export function judgeApp(app: AppStatus): readonly Finding[] {
  const { name, state, detail, exitStatus, signal, restarts } = app;
  const end = signal ?? (exitStatus === undefined ? undefined : `exit status ${exitStatus}`);
  const why = [detail, end].filter((part) => part !== undefined && part !== "").join(", ");
  const log = `'gwe logs ${name}'`;
  if (state === "FATAL" || state === "BACKOFF" || state === "UNKNOWN") {
    return [
      fault(
        "applications",
        `${name} is ${state}${why === "" ? "" : ` (${why})`}`,
        `${log} says why; then 'gwe restart ${name}'`,
      ),
    ];
  }
  if (app.health === "failing") {
    return [
      fault(
        "applications",
        `${name} fails its health probe (${app.healthDetail ?? "no detail"})`,
        `${log} says why`,
      ),
    ];
  }
  if (restarts > 10)
    return [warning("applications", `${name} has been restarted ${restarts} times`, `${log} says why`)];
  return state === "RUNNING"
    ? [ok("applications", `${name} is RUNNING`)]
    : [note("applications", `${name} is ${state}`)];
}

/** Whose port the queue's is: apps that talk to another program lose what they send. */
function checkPort(paths: Paths, status: EngineStatus | undefined): readonly Finding[] {
  const port = queuePort(paths);
  if (port === undefined) return [];
  const holder = whoListens(port);
  const isOurs = status !== undefined && holder?.endsWith(`(pid ${status.engine.pid})`) === true;
  if (isOurs) return [ok("ports", `the queue listens on port ${port}`)];
  if (holder === undefined) {
    if (status === undefined) return [ok("ports", `port ${port} is free for the queue`)];
    return [
      fault(
        "ports",
        `the engine runs, and nobody listens on the queue's port ${port}`,
        "'journalctl -u gateway-engine' says why; 'systemctl restart gateway-engine'",
      ),
    ];
  }
  if (holder === "somebody")
    return [note("ports", `port ${port} is listened on`, "run 'gwe doctor' as root to see by whom")];
  return [
    fault(
      "ports",
      `the queue's port ${port} is taken by ${holder}`,
      "end that program (the original gmq?), or set another port: 'gmq cfg set http port <port>'",
    ),
  ];
}

function queuePort(paths: Paths): number | undefined {
  try {
    const { port } = loadQueueConfig(paths).http;
    if (port !== 0) return port;
    return existsSync(paths.queuePort) ? Number(readFileSync(paths.queuePort, "utf8")) : undefined;
  } catch {
    // Said of the configuration already.
    return undefined;
  }
}
