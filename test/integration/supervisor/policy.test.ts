import { readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Supervisor } from "../../../src/supervisor/index.ts";
import { patienceMs } from "../../support/eventually.ts";
import { Gateway, statusOf, testPath, until, untilState } from "./harness.ts";

// One gateway for all: each test has apps of its own.
let gateway: Gateway;
let supervisor: Supervisor;

beforeAll(async () => {
  gateway = new Gateway({
    environment: {
      PATH: testPath,
      LANG: "C",
      GWE_HOME: "/secret",
      NOTIFY_SOCKET: "/x",
      pm_id: "kept",
    },
  });
  supervisor = gateway.engine();
  await supervisor.start();
});

afterAll(() => gateway.dispose());

test("an app runs after deploy, with the environment, directory and signals that supervisord would give", async () => {
  const app = gateway.app(
    "meter",
    'command=./run.sh "two words" \'$HOME\' a;b\nenvironment=KEY="val, 1",odd.name=x,PS4="abc",KEY="last"\nstartsecs=0\numask=027',
    `printf '<%s>' "$@"; echo; pwd; umask; env | sort >env.txt; grep Sig /proc/self/status >signals.txt; readlink /proc/self/fd/0
tr '\\0' '\\n' </proc/$$/environ >environ.txt; ls /proc/$$/fd >fds.txt; cut -d' ' -f5 /proc/$$/stat >pgid.txt; echo $$ >pid.txt; echo error >&2; exec sleep 1000`,
  );
  await supervisor.deploy(app);
  const status = await supervisor.settled("meter", patienceMs);
  expect(status).toMatchObject({ state: "RUNNING", version: "1", restarts: 0 });
  await until(() => gateway.log("meter").includes("error"));

  expect(gateway.log("meter")).toBe(
    `<two words><$HOME><a;b>\n${app.directory}\n0027\n${gateway.path("run/apps/meter/stdin")}\nerror\n`,
  );
  const environment = readFileSync(`${app.directory}/environ.txt`, "utf8").trim().split("\n").sort();
  expect(environment).toEqual(
    [
      "GWE_HOME=/secret",
      `PATH=${testPath}`,
      "LANG=C",
      "pm_id=kept",
      "SUPERVISOR_ENABLED=1",
      "SUPERVISOR_PROCESS_NAME=meter",
      "SUPERVISOR_GROUP_NAME=meter",
      "KEY=last",
      "odd.name=x",
      "PS4=abc",
    ].sort(),
  );
  // PIPE and XFSZ, as supervisord's Python leaves them; INT and QUIT reach the app.
  expect(readFileSync(`${app.directory}/signals.txt`, "utf8")).toMatch(/SigIgn:\t0*1001000\n/);
  const pid = readFileSync(`${app.directory}/pid.txt`, "utf8").trim();
  expect(status.pid).toBe(Number(pid));
  expect(readFileSync(`${app.directory}/pgid.txt`, "utf8").trim()).toBe(pid);
  expect(readFileSync(`/proc/${pid}/cmdline`, "latin1")).toBe("sleep\x001000\0");
});

test("a crashed app is started again, with its true exit status or signal noted", async () => {
  const app = gateway.app("crashy", "command=./run.sh\nstartsecs=0", "echo start; exec sleep 1000");
  await supervisor.deploy(app);
  const first = await untilState(supervisor, "crashy", "RUNNING");
  await until(() => gateway.log("crashy") === "start\n");
  process.kill(first.pid ?? 0, "SIGSEGV");
  const second = await until(async () => {
    const status = await statusOf(supervisor, "crashy");
    return status.state === "RUNNING" && status.pid !== first.pid && status;
  });
  expect(second).toMatchObject({ restarts: 1, signal: "SIGSEGV" });
  await until(() => gateway.log("crashy") === "start\nstart\n");
});

test("an app that won't stay up backs off a second longer each time, then is FATAL", async () => {
  const app = gateway.app("bad", "command=./run.sh\nstartretries=2", "cut -d' ' -f1 /proc/uptime; exit 3");
  await supervisor.deploy(app);
  const seen = new Set<string>();
  supervisor.onChange(({ state }) => seen.add(state));
  const status = await untilState(supervisor, "bad", "FATAL");
  expect(status).toMatchObject({ exitStatus: 3, restarts: 2 });
  expect(seen).toContain("BACKOFF");
  const starts = gateway.log("bad").trim().split("\n").map(Number);
  expect(starts).toHaveLength(3);
  const [a = 0, b = 0, c = 0] = starts;
  expect(b - a).toBeGreaterThan(0.95);
  expect(c - b).toBeGreaterThan(1.95);
  // A busy machine adds to both; `npm run test:differential` holds them against supervisord's.
  expect(c - a).toBeLessThan(15);
});

test("what can't be started says why, in its log and its status", async () => {
  await supervisor.deploy(gateway.app("none", "command=no-such-program x\nstartretries=0"));
  await supervisor.deploy(gateway.app("dir", "command=/bin/true\ndirectory=/no/such\nstartretries=0"));
  await supervisor.deploy(gateway.app("user", "command=/bin/true\nuser=no-such-user\nstartretries=0"));
  expect(await untilState(supervisor, "none", "FATAL")).toMatchObject({
    detail: "can't find command 'no-such-program'",
  });
  expect(await untilState(supervisor, "dir", "FATAL")).toMatchObject({
    detail: "couldn't chdir to /no/such: ENOENT",
  });
  expect(await untilState(supervisor, "user", "FATAL")).toMatchObject({
    detail: "couldn't setuid to no-such-user: no such user",
  });
  expect(gateway.log("none")).toContain("supervisor: can't find command 'no-such-program'\n");
});

test.each(["cd", "if", "finish"])(
  "%s, a word of the shell's or the launcher's, is no program",
  async (word) => {
    await supervisor.deploy(gateway.app(`word-${word}`, `command=${word} x\nstartsecs=0\nstartretries=0`));
    expect(await untilState(supervisor, `word-${word}`, "FATAL")).toMatchObject({
      detail: `can't find command '${word}'`,
    });
  },
);

test("an app whose files are gone can still be stopped, and is STOPPED at once", async () => {
  const app = gateway.app("gone", "command=./run.sh\nstartsecs=0", "exec sleep 1000");
  await supervisor.deploy(app);
  await untilState(supervisor, "gone", "RUNNING");
  rmSync(app.directory, { recursive: true });
  await expect(supervisor.restartApp("gone")).rejects.toMatchObject({ code: "SUPERVISOR_CONF" });
  await untilState(supervisor, "gone", "FATAL");
  await supervisor.stopApp("gone");
  expect(await statusOf(supervisor, "gone")).toMatchObject({ state: "STOPPED" });
});

test("an app that may take for ever to stop is not killed at once", async () => {
  const script = "echo up; trap 'sleep 0.3; echo end; exit 0' TERM; while :; do sleep 0.02; done";
  await supervisor.deploy(
    gateway.app("slow", "command=./run.sh\nstartsecs=0\nstopwaitsecs=99999999", script),
  );
  await until(() => gateway.log("slow") === "up\n");
  await supervisor.stopApp("slow");
  expect(gateway.log("slow")).toBe("up\nend\n");
  expect(await statusOf(supervisor, "slow")).toMatchObject({ state: "STOPPED", exitStatus: 0 });
});

describe("autorestart and exitcodes", () => {
  const cases = [
    { name: "unexpected-0", conf: "", exit: "exit 0", restarted: false, exitStatus: 0 },
    { name: "unexpected-5", conf: "", exit: "exit 5", restarted: true },
    { name: "expected-5", conf: "exitcodes=0,5", exit: "exit 5", restarted: false, exitStatus: 5 },
    { name: "expected-143", conf: "exitcodes=143", exit: "exit 143", restarted: false, exitStatus: 143 },
    { name: "killed-143", conf: "exitcodes=143", exit: "kill -TERM $$", restarted: true },
    { name: "never", conf: "autorestart=false", exit: "kill -TERM $$", restarted: false, signal: "SIGTERM" },
    { name: "always", conf: "autorestart=true", exit: "exit 0", restarted: true },
  ];
  test("decide together what is started again", async () => {
    for (const { name, conf, exit } of cases) {
      const script = `echo start; [ -e again ] && exec sleep 1000; touch again; ${exit}`;
      await supervisor.deploy(gateway.app(name, `command=./run.sh\nstartsecs=0\n${conf}`, script));
    }
    for (const { name, restarted, exit: _, conf: __, ...facts } of cases) {
      if (restarted) {
        await until(() => gateway.log(name) === "start\nstart\n").catch((error) =>
          expect.fail(`${name}: ${error}`),
        );
      } else {
        const { name: _name, ...expected } = { name, ...facts };
        expect(await untilState(supervisor, name, "EXITED")).toMatchObject({ ...expected, restarts: 0 });
        expect(gateway.log(name)).toBe("start\n");
      }
    }
  });
});

test("a stop sends the app's own signal, then KILL when it takes too long; it stays stopped", async () => {
  const script = 'trap "echo got INT" INT; trap "echo got TERM" TERM; echo up; while :; do sleep 0.05; done';
  await supervisor.deploy(
    gateway.app("stubborn", "command=./run.sh\nstartsecs=0\nstopsignal=INT\nstopwaitsecs=1", script),
  );
  await until(() => gateway.log("stubborn") === "up\n");
  const begun = performance.now();
  const stopping = supervisor.stopApp("stubborn");
  await untilState(supervisor, "stubborn", "STOPPING");
  await stopping;
  expect(performance.now() - begun).toBeGreaterThan(900);
  expect(await statusOf(supervisor, "stubborn")).toMatchObject({ state: "STOPPED", signal: "SIGKILL" });
  expect(gateway.log("stubborn")).toBe("up\ngot INT\n");

  await supervisor.deploy({
    ...gateway.app("stubborn", "command=./run.sh\nstartsecs=0\nstopwaitsecs=0", script, "2"),
  });
  expect(await statusOf(supervisor, "stubborn")).toMatchObject({ state: "STOPPED", version: "2" });
  await supervisor.startApp("stubborn");
  expect(await untilState(supervisor, "stubborn", "RUNNING")).toMatchObject({ version: "2" });
});

test("a new version starts only when the old one has ended", async () => {
  const script = (version: string): string =>
    `echo begin ${version}; trap 'sleep 0.3; echo end ${version}; exit 0' TERM; while :; do sleep 0.02; done`;
  const conf = "command=./run.sh\nstartsecs=0";
  await supervisor.deploy(gateway.app("twice", conf, script("v1"), "1"));
  await until(() => gateway.log("twice") === "begin v1\n");
  await supervisor.deploy(gateway.app("twice", conf, script("v2"), "2"));
  await until(() => gateway.log("twice").includes("begin v2"));
  expect(gateway.log("twice")).toBe("begin v1\nend v1\nbegin v2\n");
  expect(supervisor.installed("twice")).toMatchObject({ version: "2" });

  await supervisor.withdraw("twice");
  expect(gateway.log("twice")).toContain("end v2\n");
  expect((await supervisor.statuses()).map(({ name }) => name)).not.toContain("twice");
});

// Debian's BusyBox, for one, comes without su.
test.runIf(process.getuid?.() === 0 && process.env.GWE_TEST_PATH === undefined)(
  "user= runs the app as that user",
  async () => {
    await supervisor.deploy(
      gateway.app(
        "nobody",
        "command=/bin/sh -c 'id -u; id -G; exec sleep 1000'\nuser=nobody\nstartsecs=0\ndirectory=/",
      ),
    );
    await until(() => gateway.log("nobody").split("\n").length === 3);
    expect(gateway.log("nobody")).toMatch(/^65534\n65534\n$/);
  },
);

test("one-off apps and libraries are registered, reported, and not started", async () => {
  await supervisor.deploy({ name: "tail-log", version: "3", kind: "one-off", directory: gateway.path("x") });
  expect(await statusOf(supervisor, "tail-log")).toMatchObject({
    state: "EXITED",
    exitStatus: 0,
    version: "3",
  });
  await expect(supervisor.startApp("tail-log")).rejects.toMatchObject({ code: "NOT_SUPERVISED" });
  await expect(supervisor.startApp("nobody-knows")).rejects.toMatchObject({ code: "UNKNOWN_APP" });
});
