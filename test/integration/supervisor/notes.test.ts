import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { silentLogger } from "../../../src/core/logger.ts";
import { Pm2Adapter, type Supervisor } from "../../../src/supervisor/index.ts";
import { NotesWatch } from "../../../src/supervisor/notes-watch.ts";
import { Gateway, type GatewayOptions, until, untilState } from "./harness.ts";

const pm2Command = createRequire(import.meta.url).resolve("pm2/bin/pm2");

/** Longer than any test. */
const never = 3_600_000;

async function started(options: GatewayOptions): Promise<{ gateway: Gateway; supervisor: Supervisor }> {
  const gateway = new Gateway({ restIntervalMs: never, ...options });
  onTestFinished(() => gateway.dispose());
  const supervisor = gateway.engine();
  await supervisor.start();
  return { gateway, supervisor };
}

test("ends, restarts and an app's giving up are told by launchers: nobody asks pm2", async () => {
  let gaveUp = 0;
  const onGaveUp = (): void => {
    gaveUp += 1;
  };
  const { gateway, supervisor } = await started({ checkIntervalMs: never, onGaveUp });
  await supervisor.deploy(gateway.app("meter", "command=/bin/sleep 100000\nstartsecs=0"));
  const { pid = 0 } = await untilState(supervisor, "meter", "RUNNING");
  const list = vi.spyOn(Pm2Adapter.prototype, "list");
  onTestFinished(() => list.mockRestore());
  process.kill(pid, "SIGKILL");
  await until(() => {
    const [meter] = supervisor.notedStatuses();
    return meter?.state === "RUNNING" && meter.restarts === 1 && meter.pid !== pid;
  });
  expect(list).not.toHaveBeenCalled();
  await supervisor.deploy(gateway.app("brief", "command=./run.sh\nstartretries=0", "exit 3"));
  await until(() => gaveUp === 1);
});

test("what somebody stops behind the engine's back is started again", async () => {
  const { gateway, supervisor } = await started({});
  await supervisor.deploy(gateway.app("meter", "command=/bin/sleep 100000\nstartsecs=0"));
  const { pid } = await untilState(supervisor, "meter", "RUNNING");
  const { status } = spawnSync(process.execPath, [pm2Command, "stop", "meter", "--silent"], {
    env: { ...process.env, PM2_HOME: gateway.pm2Home },
  });
  expect(status).toBe(0);
  await until(() => supervisor.notedStatuses().some((one) => one.state === "RUNNING" && one.pid !== pid));
});

test("notes are told of in directories that were there, that came, and that were made anew", async () => {
  const root = mkdtempSync(join(tmpdir(), "gwe-notes-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, "old"));
  const noted: string[] = [];
  const watch = new NotesWatch({ root, onNoted: (key) => noted.push(key), logger: silentLogger });
  watch.start();
  onTestFinished(() => watch.stop());
  expect(watch.isWatching).toBe(true);
  const note = async (key: string): Promise<void> => {
    noted.length = 0;
    writeFileSync(join(root, key, ".state.1"), "");
    renameSync(join(root, key, ".state.1"), join(root, key, "state"));
    await until(() => noted.includes(key));
  };
  await note("old");
  mkdirSync(join(root, "new"));
  await until(() => noted.includes("new"));
  await note("new");
  noted.length = 0;
  rmSync(join(root, "new"), { recursive: true });
  mkdirSync(join(root, "new"));
  await until(() => noted.includes("new"));
  await note("new");
});

test("where the kernel refuses to watch, that is known", () => {
  const root = join(tmpdir(), "gwe-notes-nowhere");
  const watch = new NotesWatch({ root, onNoted: () => undefined, logger: silentLogger });
  watch.start();
  expect(watch.isWatching).toBe(false);
  watch.stop();
});
