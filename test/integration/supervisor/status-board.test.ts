import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { supervisorSystem as system } from "../../../src/daemon/platform-ports.ts";
import { bootId, processStartTicks } from "../../../src/platform/process-table.ts";
import { systemClock } from "../../../src/platform/system-clock.ts";
import { AppFiles } from "../../../src/supervisor/app-files.ts";
import type { DesiredApp } from "../../../src/supervisor/desired-state.ts";
import type { Pm2Port } from "../../../src/supervisor/index.ts";
import { StatusBoard } from "../../../src/supervisor/status-board.ts";

const app: DesiredApp = {
  name: "meter",
  version: "2",
  kind: "long-running",
  directory: "/apps/meter/2",
  wanted: "running",
  generation: 8,
  installedAtMs: 0,
  wantedSinceMs: 0,
  processes: [],
  stoppedProcesses: [],
};
const thisProcess = `${process.pid}:${processStartTicks(process.pid)}:${bootId()}`;
const gone = `1:1:${bootId()}`;

let runDir: string;
beforeEach(() => {
  runDir = mkdtempSync(join(tmpdir(), "gwe-board-"));
});
afterEach(() => rmSync(runDir, { recursive: true }));

/** What the run directory says: `launcher` names the one that runs, `state` was written by `writer`. */
function stateNoted(launcher: string, writer: string, generation: number, state: string) {
  const directory = join(runDir, "apps", app.name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "launcher"), `${launcher}\n`);
  const noted = `boot=${bootId()}\ngeneration=${generation}\nstate=${state}\nsince=1\nlauncher=${writer}\nchild=\nstartsecs=1
stopsignal=TERM\nstopwaitsecs=10\nstarted=1\nended=\nexit=\nsignal=\nfailures=0\nrestarts=0\nfinal=\ndetail=\n`;
  writeFileSync(join(directory, "state"), noted);
  const board = new StatusBoard({
    desired: { all: () => [app] },
    files: new AppFiles(runDir, system),
    pm2: { isUp: () => true } as Pm2Port,
    clock: systemClock,
    health: () => undefined,
    logFiles: () => new Map(),
  });
  return board.status(app).state;
}

test("what the launcher of the former version noted last is not the new version's state", () => {
  expect(stateNoted(thisProcess, gone, 7, "STOPPED")).toBe("STARTING");
  expect(stateNoted(thisProcess, gone, 7, "STARTING")).toBe("STARTING");
});

test("what the living launcher noted is", () => {
  expect(stateNoted(thisProcess, thisProcess, 8, "STOPPING")).toBe("STOPPING");
});

test("what has nothing to supervise is EXITED: its installer ran to the end", () => {
  const board = new StatusBoard({
    desired: { all: () => [] },
    files: new AppFiles(runDir, system),
    pm2: { isUp: () => true } as Pm2Port,
    clock: systemClock,
    health: () => undefined,
    logFiles: () => new Map(),
  });
  expect(board.status({ ...app, kind: "library", installedAtMs: 1_000 })).toEqual({
    name: "meter",
    version: "2",
    kind: "library",
    state: "EXITED",
    sinceMs: 1_000,
    exitStatus: 0,
    restarts: 0,
  });
});
