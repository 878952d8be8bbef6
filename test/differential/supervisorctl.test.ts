import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Supervisor } from "../../src/supervisor/index.ts";
import { controlOf } from "../integration/supervisor/control.ts";
import { Gateway, until } from "../integration/supervisor/harness.ts";
import { type CommandResult, runCommand } from "../support/run-command.ts";

/** The same programs under Debian's supervisord and under the engine. */
const programs: Readonly<Record<string, string>> = {
  meter: `command=/bin/sh -c 'echo one; echo two; echo trouble >&2; exec sleep 1000'
redirect_stderr=false
priority=10`,
  chatty:
    "command=/bin/sh -c 'echo all; echo errors >&2; exec sleep 1000'\nredirect_stderr=true\nstartsecs=0",
  fatal: "command=/bin/sh -c 'exit 3'\nstartretries=0",
  lost: "command=/no/such/program\nstartretries=0",
  manual: "command=sleep 1000\nautostart=false\nstartsecs=0",
  once: "command=/bin/sh -c 'exit 0'\nstartsecs=0\nautorestart=false",
  web: "command=sleep 1000\nnumprocs=2\nprocess_name=%(program_name)s_%(process_num)d\nstartsecs=0",
  polite: `command=/bin/sh -c 'trap "exit 0" TERM; while :; do sleep 0.05; done'\nstartsecs=0`,
};

let gateway: Gateway;
let supervisor: Supervisor;
let closeControl: () => Promise<void>;
let supervisord: ChildProcess;

beforeAll(async () => {
  gateway = new Gateway();
  supervisor = gateway.engine();
  await supervisor.start();
  closeControl = await controlOf(gateway, supervisor);
  supervisord = startSupervisord();
  await Promise.all(Object.entries(programs).map(([name, conf]) => deploy(name, conf)));
  await until(async () => {
    const [ours, theirs] = await both("status");
    return !/STARTING|BACKOFF|UNKNOWN/.test(ours.stdout + theirs.stdout) && theirs.stdout.includes("RUNNING");
  });
});

afterAll(async () => {
  const ended = once(supervisord, "exit");
  supervisord.kill("SIGTERM");
  await ended;
  await closeControl();
  await gateway.dispose();
});

function deploy(name: string, conf: string): Promise<void> {
  return supervisor.deploy(
    gateway.app(name, `${conf}\nstderr_logfile=${gateway.path("log", `${name}.err`)}`),
  );
}

function startSupervisord(): ChildProcess {
  const sections = Object.entries({ ...programs, gwe: "command=sleep 1000\nstartsecs=0" }).map(
    ([name, conf]) =>
      `[program:${name}]\n${conf}\nstdout_logfile=%(here)s/${name}.log\nstderr_logfile=%(here)s/${name}.err\n`,
  );
  mkdirSync(gateway.path("real"));
  const conf = gateway.path("real/supervisord.conf");
  writeFileSync(
    conf,
    `[unix_http_server]\nfile=%(here)s/s.sock\n[supervisord]\nlogfile=%(here)s/supervisord.log\npidfile=%(here)s/s.pid
[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]\nserverurl=unix://${gateway.path("real/s.sock")}\n${sections.join("")}`,
  );
  return spawn("/usr/bin/supervisord", ["-n", "-c", conf], { stdio: "ignore" });
}

/** The same command line to both. */
async function both(
  line: string,
  input?: string,
): Promise<readonly [ours: CommandResult, theirs: CommandResult]> {
  const words = line.split(" ").filter(Boolean);
  const given = input === undefined ? {} : { input };
  return Promise.all([
    runCommand("supervisorctl", words, { home: gateway.root, ...given }),
    runCommand("/usr/bin/supervisorctl", ["-c", gateway.path("real/supervisord.conf"), ...words], given),
  ]);
}

/** What differs between two runs of the same program is taken out: pids, times, places. */
function comparable({ stdout, status }: CommandResult): { text: string; status: number | null } {
  const text = stdout
    .replace(/pid \d+, uptime \d+:\d\d:\d\d/g, "pid P, uptime U")
    .replace(/[A-Z][a-z]{2} \d\d \d\d:\d\d [AP]M/g, "TIME")
    .replace(/^((?:supervisor> )*)[1-9]\d*$/gm, "$1PID");
  return { text, status };
}

/** Usage texts are each program's own; what went wrong comes first. */
function firstLine(result: CommandResult): { text: string; status: number | null } {
  const { text, status } = comparable(result);
  return { text: text.split("\n", 1)[0] ?? "", status };
}

describe("the same output and exit status as Debian's supervisorctl", () => {
  test.each([
    "status",
    "status all",
    "status meter chatty",
    "status meter:*",
    "status web:* web:web_1",
    "pid web:web_0 web:nosuch",
    "signal WINCH web:*",
    "status nosuch nosuch:x nosuch:* meter",
    "pid meter",
    "pid manual",
    "pid all",
    "pid nosuch",
    "tail meter",
    "tail -4 meter",
    "tail meter stderr",
    "tail chatty stderr",
    "tail manual",
    "tail nosuch",
    "tail meter nowhere",
    "tail -x meter",
    "tail -f nosuch",
    "avail",
    "reread",
    "update",
    "update nosuch",
    "add meter nosuch",
    "remove nosuch",
    "start meter",
    "start nosuch",
    "start nosuch:*",
    "start lost",
    "start fatal",
    "stop manual once",
    "stop nosuch nosuch:*",
    "signal USR9 meter",
    "signal WINCH meter once nosuch",
    "signal 28 meter:*",
    "nonsense",
    "sto-x",
    "help nosuch",
    "-i status",
  ])("%s", async (line) => {
    const [ours, theirs] = await both(line);
    expect(comparable(ours)).toEqual(comparable(theirs));
  });

  test.each([
    "start",
    "stop",
    "restart",
    "signal HUP",
    "clear",
    "tail",
    "tail -f meter stdout x",
    "reread x",
    "version x",
    "maintail x",
  ])("%s: a wrong number of arguments", async (line) => {
    const [ours, theirs] = await both(line);
    expect(firstLine(ours)).toEqual(firstLine(theirs));
  });

  test("stop, start and restart, one after the other", async () => {
    for (const line of [
      "stop meter",
      "status meter",
      "stop meter",
      "signal HUP meter",
      "start meter",
      "restart meter polite",
      "stop chatty:*",
      "start chatty:*",
      "restart nosuch meter",
      "start manual",
      "stop web:web_1",
      "status web:*",
      "stop web:web_0 web:web_1",
      "start web:web_1",
      "restart web:web_1",
      "status",
      "start web:*",
      "stop manual",
    ]) {
      const [ours, theirs] = await both(line);
      expect({ line, ...comparable(ours) }).toEqual({ line, ...comparable(theirs) });
    }
  });

  test("a wrong option", async () => {
    const [ours, theirs] = await both("-z status");
    expect(ours.status).toBe(theirs.status);
    expect(ours.stderr).toContain("option -z not recognized");
    expect(theirs.stderr).toContain("option -z not recognized");
  });

  test.each([
    ["status meter\nnonsense\n\npid meter\n", "at its end"],
    ["pid nosuch\nquit\nstatus\n", "at quit"],
    ["exit\n", "at exit"],
  ])("read from standard input: %j, ended %s", async (input) => {
    const [ours, theirs] = await both("", input);
    expect(comparable(ours)).toEqual(comparable(theirs));
  });

  test("clear empties the logs", async () => {
    const [ours, theirs] = await both("clear meter nosuch");
    expect(comparable(ours)).toEqual(comparable(theirs));
    const [tail] = await both("tail meter");
    expect(tail).toMatchObject({ stdout: "\n", status: 0 });
  });
});
