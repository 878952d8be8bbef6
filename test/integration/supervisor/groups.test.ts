import { existsSync, readFileSync, rmSync } from "node:fs";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Supervisor } from "../../../src/supervisor/index.ts";
import { Gateway, processesUnder, statusOf, until, untilState } from "./harness.ts";

// One gateway for all: each test begins without an app.
let gateway: Gateway;
let supervisor: Supervisor;
let gaveUp = 0;

beforeAll(async () => {
  gateway = new Gateway({
    fatalRetryMs: 1_500,
    onGaveUp: () => {
      gaveUp += 1;
    },
  });
  supervisor = gateway.engine();
  await supervisor.start();
});

afterEach(async () => {
  const names = (await supervisor.statuses()).map(({ name }) => name);
  await Promise.all(names.map((name) => supervisor.withdraw(name)));
});

afterAll(() => gateway.dispose());

const waits = "echo $1; exec sleep 1000";

test("numprocs: each process runs once, by its own name, and only the one that dies is started again", async () => {
  const conf =
    "command=./run.sh up-%(process_num)d\nnumprocs=3\nnumprocs_start=7\nprocess_name=w%(process_num)02d\nstartsecs=0";
  await supervisor.deploy(gateway.app("group", conf, waits));
  const before = await untilState(supervisor, "group", "RUNNING");
  expect(before.processes?.map(({ name, state }) => [name, state])).toEqual([
    ["w07", "RUNNING"],
    ["w08", "RUNNING"],
    ["w09", "RUNNING"],
  ]);
  await until(() => gateway.log("group").split("\n").length === 4);
  expect(gateway.log("group").trim().split("\n").sort()).toEqual(["up-7", "up-8", "up-9"]);

  process.kill(before.processes?.[1]?.pid ?? 0, "SIGKILL");
  const after = await until(async () => {
    const status = await statusOf(supervisor, "group");
    return status.state === "RUNNING" && status.restarts === 1 && status;
  });
  expect(after.processes?.map(({ restarts }) => restarts)).toEqual([0, 1, 0]);
  expect(after.processes?.[0]?.pid).toBe(before.processes?.[0]?.pid);
  expect(after.processes?.[1]).toMatchObject({ signal: "SIGKILL" });

  await supervisor.deploy(gateway.app("group", "command=./run.sh alone\nstartsecs=0", waits, "2"));
  expect(await untilState(supervisor, "group", "RUNNING")).not.toHaveProperty("processes");
  await until(() => gateway.log("group").includes("alone"));
  expect(processesUnder(gateway.path("apps"))).toHaveLength(1);
});

test("of several processes the one that gave up is started by hand without touching the others", async () => {
  const conf =
    "command=./run.sh %(process_num)d\nnumprocs=2\nprocess_name=%(process_num)d\nstartsecs=0\nautorestart=false";
  await supervisor.deploy(gateway.app("half", conf, "[ $1 = 0 ] && exec sleep 1000; echo one; exit 4"));
  const before = await until(async () => {
    const status = await statusOf(supervisor, "half");
    return status.processes?.[1]?.state === "EXITED" && status;
  });
  expect(before).toMatchObject({ state: "RUNNING", detail: "1 of 2 RUNNING" });
  expect(before.processes?.[1]).toMatchObject({ exitStatus: 4 });
  await supervisor.startApp("half");
  // It is RUNNING in between, and then nothing is to be started.
  await until(() => gateway.log("half") === "one\none\n");
  expect((await statusOf(supervisor, "half")).processes?.[0]?.pid).toBe(before.processes?.[0]?.pid);
});

test("an app that is FATAL is tried again after a while, without anybody's doing", async () => {
  const script = "echo try; [ -e mended ] && exec sleep 1000; exit 3";
  const app = gateway.app("hopeless", "command=./run.sh\nstartretries=0", script);
  await supervisor.deploy(app);
  expect(await untilState(supervisor, "hopeless", "FATAL")).toMatchObject({ exitStatus: 3 });
  await until(() => gaveUp === 1);
  await until(() => gateway.log("hopeless") === "try\ntry\n");
  await untilState(supervisor, "hopeless", "FATAL");
  gateway.app("hopeless", "command=./run.sh\nstartretries=0", `touch mended\n${script}`);
  expect(await untilState(supervisor, "hopeless", "RUNNING")).toMatchObject({ restarts: 2 });
});

test.each([
  { name: "stops", group: "stopasgroup=true", survivors: 0 },
  { name: "kills", group: "killasgroup=true", survivors: 1 },
  { name: "neither", group: "", survivors: 1 },
])("a stop with $group ends all but $survivors of two processes", async ({ name, group, survivors }) => {
  const script = "sleep 1001 & echo up; exec sleep 1000";
  await supervisor.deploy(gateway.app(name, `command=./run.sh\nstartsecs=0\n${group}`, script));
  await until(() => gateway.log(name) === "up\n");
  await supervisor.stopApp(name);
  const left = (): readonly { pid: number }[] => processesUnder(gateway.path("apps"));
  await until(() => left().length === survivors);
  for (const { pid } of left()) process.kill(pid, "SIGKILL");
});

test("what does not stop in time is killed with its group, where the file says so", async () => {
  const script = "trap '' TERM; (while :; do sleep 0.1; done) & echo up; while :; do sleep 0.1; done";
  const conf = "command=./run.sh\nstartsecs=0\nstopwaitsecs=1\nkillasgroup=true";
  await supervisor.deploy(gateway.app("deaf", conf, script));
  await until(() => gateway.log("deaf") === "up\n");
  await supervisor.stopApp("deaf");
  await until(() => processesUnder(gateway.path("apps")).length === 0);
});

test("at the start of all, lower priorities come first; at the end of all, higher ones go first", async () => {
  const order = gateway.path("order");
  const script = `echo "start $1" >>${order}; trap 'echo "stop $1" >>${order}; exit 0' TERM
while :; do sleep 0.02; done`;
  for (const [name, priority] of [
    ["a", 30],
    ["b", 10],
    ["c", 20],
  ]) {
    await supervisor.deploy(
      gateway.app(`${name}`, `command=./run.sh ${priority}\npriority=${priority}\nstartsecs=0`, script),
    );
  }
  // An app that has been started may not have written yet.
  const lines = (): readonly string[] =>
    existsSync(order) ? readFileSync(order, "utf8").trim().split("\n") : [];
  await until(() => lines().length === 3);
  rmSync(order);
  await supervisor.stopAll();
  expect(lines()).toEqual(["stop 30", "stop 20", "stop 10"]);
  supervisor = gateway.engine();
  await supervisor.start();
  await until(() => lines().length === 6);
  expect(lines().slice(3)).toEqual(["start 10", "start 20", "start 30"]);
});
