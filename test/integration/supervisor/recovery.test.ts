import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { supervisorSystem as system } from "../../../src/daemon/platform-ports.ts";
import { isSameProcessAlive, processStartTicks } from "../../../src/platform/process-table.ts";
import { Pm2Adapter, type Supervisor } from "../../../src/supervisor/index.ts";
import { Gateway, processesUnder, statusOf, until, untilState } from "./harness.ts";

let gateway: Gateway;
let supervisor: Supervisor;

beforeEach(async () => {
  gateway = new Gateway();
  supervisor = gateway.engine();
  await supervisor.start();
});

afterEach(() => gateway.dispose());

const conf = "command=./run.sh\nstartsecs=0\nstopwaitsecs=2";
const script = `echo "begin $$ $(cut -d' ' -f1 /proc/uptime)"
trap 'echo "end $$ $(cut -d" " -f1 /proc/uptime)"; exit 0' TERM; while :; do sleep 0.02; done`;

interface Run {
  readonly pid: number;
  readonly beginS: number;
  readonly endS: number | undefined;
}

/** The app's runs, by its own log. */
function runs(name: string): readonly Run[] {
  const lines = gateway
    .log(name)
    .trim()
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split(" "));
  return lines.flatMap(([word, pid, at]) => {
    if (word !== "begin") return [];
    const end = lines.find(([other, otherPid]) => other === "end" && otherPid === pid);
    return [{ pid: Number(pid), beginS: Number(at), endS: end === undefined ? undefined : Number(end[2]) }];
  });
}

/** How many of the app's runs go on right now. */
function instances(name: string): number {
  return runs(name).filter(({ pid }) => processStartTicks(pid) !== undefined).length;
}

async function deployThree(): Promise<void> {
  for (const name of ["one", "two", "three"]) await supervisor.deploy(gateway.app(name, conf, script));
  for (const name of ["one", "two", "three"]) await until(() => runs(name).length === 1);
}

test("kill -9 of pm2's daemon: each app runs again within 5 s of its old end, once, with no orphan", async () => {
  await deployThree();
  const daemon = gateway.pm2Daemon();
  process.kill(daemon.pid, "SIGKILL");
  for (const name of ["one", "two", "three"]) {
    await until(() => runs(name).length === 2);
    const [first, second] = runs(name);
    // Asked by its stop signal, so it could tidy up; the next began afterwards.
    expect(first?.endS).toBeDefined();
    expect((second?.beginS ?? 0) - (first?.endS ?? 0)).toBeGreaterThanOrEqual(0);
    expect((second?.beginS ?? 0) - (first?.endS ?? 0)).toBeLessThan(5);
    expect(instances(name)).toBe(1);
    expect(await untilState(supervisor, name, "RUNNING")).toMatchObject({ pid: second?.pid, restarts: 1 });
  }
  expect(gateway.pm2Daemon().pid).not.toBe(daemon.pid);
});

test("a daemon that was stopped by a signal goes on, and no app is touched", async () => {
  await supervisor.deploy(gateway.app("one", conf, script));
  await until(() => runs("one").length === 1);
  const daemon = gateway.pm2Daemon();
  process.kill(daemon.pid, "SIGSTOP");
  const reader = system.openProcessState(daemon);
  await until(() => reader?.state() === "T");
  await until(() => reader?.state() !== "T");
  reader?.close();
  expect(runs("one")).toHaveLength(1);
  process.kill(runs("one")[0]?.pid ?? 0, "SIGKILL");
  await until(() => runs("one").length === 2);
});

test("a daemon that hangs is found out, killed and replaced", async () => {
  await supervisor.deploy(gateway.app("one", conf, script));
  await until(() => runs("one").length === 1);
  const daemon = gateway.pm2Daemon();
  // Whoever wakes it, it does not answer.
  const wake = vi.spyOn(Pm2Adapter.prototype, "wake").mockReturnValue();
  try {
    process.kill(daemon.pid, "SIGSTOP");
    await until(() => runs("one").length === 2, 10_000);
  } finally {
    wake.mockRestore();
  }
  expect(isSameProcessAlive(daemon)).toBe(false);
  expect(instances("one")).toBe(1);
});

test("SIGTERM of pm2's daemon stops the apps; they come back, and its dump is not kept", async () => {
  await supervisor.deploy(gateway.app("one", conf, script));
  await until(() => runs("one").length === 1);
  process.kill(gateway.pm2Daemon().pid, "SIGTERM");
  await until(() => runs("one").length === 2);
  expect(instances("one")).toBe(1);
  expect(existsSync(join(gateway.pm2Home, "dump.pm2"))).toBe(false);
});

test("kill -9 of a launcher: its app is ended before the next one starts", async () => {
  await supervisor.deploy(gateway.app("one", conf, script));
  await until(() => runs("one").length === 1);
  const launcher = gateway.launcher("one");
  process.kill(launcher.pid, "SIGKILL");
  await until(() => runs("one").length === 2);
  const [first, second] = runs("one");
  expect(second?.beginS).toBeGreaterThanOrEqual(first?.endS ?? Number.POSITIVE_INFINITY);
  expect(instances("one")).toBe(1);
  expect(await untilState(supervisor, "one", "RUNNING")).toMatchObject({ restarts: 1, pid: second?.pid });
});

test("kill -9 of pm2's daemon and a launcher at once leaves no orphan", async () => {
  await supervisor.deploy(gateway.app("one", conf, script));
  await until(() => runs("one").length === 1);
  const daemon = gateway.pm2Daemon();
  const launcher = gateway.launcher("one");
  process.kill(daemon.pid, "SIGKILL");
  process.kill(launcher.pid, "SIGKILL");
  await until(() => runs("one").length === 2);
  const [first, second] = runs("one");
  expect(second?.beginS).toBeGreaterThanOrEqual(first?.endS ?? Number.POSITIVE_INFINITY);
  expect(instances("one")).toBe(1);
});

test("the engine may go and come back: apps run on, and what happened meanwhile is known", async () => {
  await deployThree();
  const pids = ["one", "two", "three"].map((name) => runs(name)[0]?.pid);
  await supervisor.stop();
  expect(["one", "two", "three"].map(instances)).toEqual([1, 1, 1]);
  // Without an engine, launcher and pm2 keep the policy.
  process.kill(pids[0] ?? 0, "SIGKILL");
  await until(() => runs("one").length === 2);

  const next = gateway.engine();
  await next.start();
  expect(await untilState(next, "one", "RUNNING")).toMatchObject({ restarts: 1, signal: "SIGKILL" });
  expect(await statusOf(next, "two")).toMatchObject({ state: "RUNNING", pid: pids[1], restarts: 0 });
  expect(await statusOf(next, "three")).toMatchObject({ state: "RUNNING", pid: pids[2], restarts: 0 });

  await next.stopApp("two");
  await next.stop();
  const last = gateway.engine();
  await last.start();
  expect(await statusOf(last, "two")).toMatchObject({ state: "STOPPED", exitStatus: 0 });
  expect(instances("two")).toBe(0);
});

test("statuses are told while pm2's daemon is away", async () => {
  await supervisor.deploy(gateway.app("one", "command=./run.sh\nstartsecs=0\nstopwaitsecs=0", script));
  await untilState(supervisor, "one", "RUNNING");
  await supervisor.stop();
  process.kill(gateway.pm2Daemon().pid, "SIGKILL");
  const next = gateway.engine();
  await until(() => instances("one") === 0);
  expect(await untilState(next, "one", "UNKNOWN")).toMatchObject({ version: "1" });
  await next.start();
  expect(await untilState(next, "one", "RUNNING")).toMatchObject({ version: "1" });
});

test("engines that race to start the daemon end with one", async () => {
  await supervisor.stopAll();
  expect(processesUnder(gateway.root)).toEqual([]);
  const adapters = [gateway.adapter(), gateway.adapter(), gateway.adapter()];
  await Promise.all(adapters.map((adapter) => adapter.ensureUp()));
  expect(processesUnder(gateway.root)).toHaveLength(1);
  for (const adapter of adapters) {
    expect(await adapter.list()).toEqual([]);
    adapter.close();
  }
});

test("a daemon that belongs to systemd is waited for, never started", async () => {
  await supervisor.stopAll();
  const adapter = gateway.adapter("systemd");
  await expect(adapter.ensureUp()).rejects.toMatchObject({ code: "PM2_UNAVAILABLE" });
  expect(processesUnder(gateway.root)).toEqual([]);
  const owner = gateway.adapter();
  await owner.ensureUp();
  await adapter.ensureUp();
  expect(await adapter.list()).toEqual([]);
  owner.close();
  adapter.close();
});

test("after a reboot, files from before it mislead nobody: no recycled pid is touched, the app is started", async () => {
  await supervisor.deploy(gateway.app("one", conf, script));
  await untilState(supervisor, "one", "RUNNING");
  await supervisor.stopAll();
  const decoy = system.spawnDetached({
    command: "/bin/sleep",
    args: ["1000"],
    cwd: "/",
    env: {},
    logFile: gateway.path("decoy.log"),
  });
  // The same pid and start time, but in a boot that is over.
  const former = `${decoy.pid}:${decoy.startTicks}:00000000-0000-4000-8000-000000000000`;
  const directory = gateway.path("run", "apps", "one");
  const state = readFileSync(join(directory, "state"), "utf8");
  writeFileSync(join(directory, "launcher"), `${former}\n`);
  writeFileSync(join(directory, "child"), `${former}\n`);
  writeFileSync(
    join(directory, "state"),
    state.replace(/^boot=.*$/m, "boot=00000000-0000-4000-8000-000000000000"),
  );
  writeFileSync(join(gateway.pm2Home, "pm2.pid"), String(decoy.pid));
  try {
    const next = gateway.engine();
    await next.start();
    expect(await untilState(next, "one", "RUNNING")).toMatchObject({ restarts: 0 });
    expect(isSameProcessAlive(decoy)).toBe(true);
  } finally {
    process.kill(decoy.pid, "SIGKILL");
  }
});

test("what nobody wants is removed from pm2, and what runs twice is reduced to one", async () => {
  await supervisor.deploy(gateway.app("one", conf, script));
  await until(() => runs("one").length === 1);
  const intruder = gateway.adapter();
  await intruder.ensureUp();
  const foreign = { generation: 1, stopExitCodes: [], killTimeoutMs: 1000 };
  await intruder.start({ ...foreign, name: "stranger", command: ["/bin/sleep", "1000"] });
  await intruder.start({ ...foreign, name: "../../evil", command: ["/bin/sleep", "1000"] });
  await intruder.start({ ...foreign, name: "one", generation: 999, command: ["/bin/sleep", "1000"] });
  await intruder.start({ ...foreign, name: ".gwe-logd", command: ["/bin/sleep", "1000"] });
  await until(async () => {
    const entries = await intruder.list();
    return entries.length === 2 && entries.every(({ status }) => status === "online");
  });
  expect(await intruder.list()).toMatchObject([
    { name: ".gwe-logd", status: "online" },
    { name: "one", status: "online" },
  ]);
  expect(runs("one")).toHaveLength(1);
  intruder.close();
});

test("the daemon's home is private and its environment holds nothing of ours", async () => {
  const { pid } = gateway.pm2Daemon();
  const names = readFileSync(`/proc/${pid}/environ`, "latin1")
    .split("\0")
    .map((variable) => variable.split("=")[0]);
  expect(names.filter((name) => name !== "" && !name?.startsWith("PM2_")).sort()).toEqual([
    "MALLOC_ARENA_MAX",
    "PATH",
    "UV_THREADPOOL_SIZE",
  ]);
});

test("a look at all apps asks pm2 once, however many apps there are", async () => {
  await deployThree();
  const list = vi.spyOn(Pm2Adapter.prototype, "list");
  try {
    // From one look to the next but one: two intervals, which four calls for one look would not take.
    await until(() => list.mock.calls.length >= 1);
    const first = performance.now();
    await until(() => list.mock.calls.length >= 3);
    expect(performance.now() - first).toBeGreaterThan(1_500);
  } finally {
    list.mockRestore();
  }
});
