import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  parseSupervisorConf,
  type SupervisorConf,
  SupervisorConfError,
} from "../../../src/supervisor/index.ts";

function parse(body: string, header = "[supervisord]"): SupervisorConf {
  return parseText(`${header}\n${body}`);
}

function parseText(text: string): SupervisorConf {
  return parseSupervisorConf({
    text,
    appName: "meter",
    here: "/apps/meter",
    logDir: "/var/log",
    hostName: "gw-7",
    environment: { SITE: "north" },
  });
}

function failure(text: string): SupervisorConfError {
  try {
    parseText(text);
  } catch (error) {
    if (error instanceof SupervisorConfError) return error;
    throw error;
  }
  return expect.fail("was accepted");
}

test("an empty section gives supervisord's defaults, and the engine's own where it has some", () => {
  expect(parse("")).toEqual({
    programName: "meter",
    groupName: "meter",
    priority: 999,
    autostart: true,
    autorestart: "unexpected",
    exitCodes: [0],
    startSecs: 1,
    startRetries: 3,
    stopSignal: "TERM",
    stopWaitSecs: 10,
    stopAsGroup: false,
    killAsGroup: false,
    umask: 0o022,
    user: undefined,
    redirectStderr: true,
    serverUrl: undefined,
    gwe: {
      health_command: undefined,
      health_url: undefined,
      health_interval: 30,
      health_timeout: 5,
      health_failures: 3,
    },
    processes: [
      {
        processName: "meter",
        processNum: 0,
        command: ["command"],
        directory: "/apps/meter",
        environment: {},
        stdout: {
          target: { kind: "file", path: "/var/log/meter.log" },
          maxBytes: 204_800,
          backups: 1,
          syslog: false,
        },
        stderr: { target: { kind: "none" }, maxBytes: 52_428_800, backups: 10, syslog: false },
      },
    ],
    warnings: [],
  });
});

test("the INI rules are those of Python's configparser", () => {
  const conf = parseText(
    [
      "# a comment",
      "; another",
      "[program:meter]",
      "COMMAND : /bin/app --flag ; an inline comment",
      "    second;word",
      "  # a comment within",
      "\tthird",
      "directory=/a;b",
      "umask = 077",
      "environment=A=1,",
      "  B=2",
      "umask=027",
      "",
      "[gwe]",
      "health_url=http://localhost",
    ].join("\r\n"),
  );
  expect(conf.processes[0]).toMatchObject({
    command: ["/bin/app", "--flag", "second;word", "third"],
    directory: "/a;b",
    environment: { A: "1", B: "2" },
  });
  expect(conf.umask).toBe(0o027);
  expect(conf.warnings).toEqual([]);
});

test("expansions name the program, the place, the host and the environment", () => {
  const conf = parse(
    'command=%(here)s/run %(program_name)s %(group_name)s %(process_num)02d %(numprocs)d %(host_node_name)s %(ENV_SITE)s %(ENV_OWN)s 100%%\nenvironment=OWN="%(ENV_SITE)s-1"\nstdout_logfile=/tmp/%(program_name)s.out',
  );
  expect(conf.processes[0].command).toEqual(
    "/apps/meter/run meter meter 00 1 gw-7 north north-1 100%".split(" "),
  );
  expect(conf.processes[0].stdout.target).toEqual({ kind: "file", path: "/tmp/meter.out" });
});

test("numprocs gives one process each", () => {
  const { processes } = parse(
    "numprocs=2\nnumprocs_start=5\nprocess_name=%(program_name)s_%(process_num)02d",
  );
  expect(processes.map(({ processName }) => processName)).toEqual(["meter_05", "meter_06"]);
});

describe("values", () => {
  test.each([
    ["autorestart=TRUE", { autorestart: "always" }],
    ["autorestart=off", { autorestart: "never" }],
    ["autorestart=Unexpected", { autorestart: "unexpected" }],
    ["exitcodes=0, 2,255", { exitCodes: [0, 2, 255] }],
    ["exitcodes=", { exitCodes: [] }],
    ["stopsignal=SIGusr1", { stopSignal: "USR1" }],
    ["stopsignal=2", { stopSignal: "INT" }],
    ["startsecs=0", { startSecs: 0 }],
    ["stopasgroup=true", { stopAsGroup: true, killAsGroup: true }],
    ["user=nobody", { user: "nobody" }],
  ])("%s", (line, expected) => {
    expect(parse(line)).toMatchObject(expected);
  });

  test.each([
    ["stdout_logfile=NONE", { target: { kind: "none" } }],
    ["stdout_logfile=auto", { target: { kind: "auto" } }],
    ["stdout_logfile_maxbytes=1mb", { maxBytes: 1_048_576 }],
    ["stdout_logfile_maxbytes=0", { maxBytes: 0 }],
  ])("%s", (line, expected) => {
    expect(parse(line).processes[0].stdout).toMatchObject(expected);
  });
});

describe("a bad value fails with option, value and line", () => {
  test.each([
    ["stopsignal", "WINCHESTER"],
    ["startsecs", "1s"],
    ["stdout_logfile_maxbytes", "5PB"],
    ["autorestart", "maybe"],
    ["exitcodes", "0,256"],
    ["umask", "9"],
    ["command", 'run "unbalanced'],
    ["command", ""],
    ["command", "run %(unknown)s"],
    ["command", "run 100%"],
    ["environment", "A=1,B"],
    ["environment", "A='x"],
    ["stdout_events_enabled", "perhaps"],
    ["numprocs", "0"],
    ["process_name", "a:b"],
  ])("%s=%s", (option, value) => {
    const error = failure(`[supervisord]\npriority=5\n${option}=${value}\n`);
    expect(error.context).toMatchObject({ option, value, line: 3 });
    expect(error.message).toContain("line 3");
    expect(error.message).toContain(option);
  });

  test("and so does a file that isn't one", () => {
    expect(failure("command=x").message).toContain("line 1");
    expect(failure("[supervisord]\nnonsense").message).toContain('line 2: expected "option=value"');
    expect(failure("[supervisor]\ncommand=x").message).toContain("no section [supervisord]");
    expect(failure("[program:other]\ncommand=x").message).toContain("[program:other]");
    expect(failure("[supervisord]\n[program:meter]\n").message).toContain("keep one");
    expect(failure("[supervisord]\nnumprocs=2").context).toMatchObject({ option: "process_name" });
  });
});

test("what has no effect is accepted with a warning", () => {
  const { warnings } = parse(
    "nodaemon=true\nstdout_events_enabled=true\nstderr_logfile=/x\n[eventlistener:y]\nfoo=bar",
  );
  expect(warnings).toEqual([
    "stdout_events_enabled has no effect: there are no event listeners.",
    "line 2: nodaemon is not an option of supervisord's programs; it is ignored.",
    "line 5: section [eventlistener:y] is ignored.",
    "stderr_logfile is ignored, since redirect_stderr is true.",
  ]);
});

test("any text is either understood or refused with a line", () => {
  const lines = fc.array(
    fc.oneof(
      fc.string(),
      fc.constantFrom("[supervisord]", "[gwe]", "command=a 'b", 'environment=A="', "  more", "umask=0%o"),
      fc
        .tuple(fc.constantFrom("command", "startsecs", "environment", "user"), fc.string())
        .map(([k, v]) => `${k}=${v}`),
    ),
  );
  fc.assert(
    fc.property(lines, (all) => {
      try {
        expect(parse(all.join("\n")).processes[0].command.length).toBeGreaterThan(0);
      } catch (error) {
        if (!(error instanceof SupervisorConfError)) throw error;
        expect(error.context.line).toBeGreaterThan(0);
      }
    }),
  );
});

test("a huge line with no option in it is refused as fast as any", () => {
  const error = failure(`[supervisord]\nx${" ".repeat(1_000_000)}y`);
  expect(error.message).toMatch(/line 2: expected "option=value"/);
});

describe("[gwe], the engine's own section", () => {
  test("gives its options as values", () => {
    const { gwe, warnings } = parseText(
      "[supervisord]\n[gwe]\nhealth_command=%(here)s/check 'a b'\nhealth_interval=10\nhealth_colour=red",
    );
    expect(gwe).toMatchObject({ health_command: ["/apps/meter/check", "a b"], health_interval: 10 });
    expect(warnings).toEqual(["line 5: health_colour is not an option of [gwe]; it is ignored."]);
  });

  test.each([
    ["health_interval=0", 'line 3: health_interval="0": expected 1 to 86400'],
    ["health_url=ftp://x/", "expected an http:// or https:// URL"],
    ["health_command='", "no closing '"],
    ["health_command=x\nhealth_url=http://127.0.0.1/", "there is a health_command too; keep one"],
  ])("refuses %j", (line, reason) => {
    expect(failure(`[supervisord]\n[gwe]\n${line}`).message).toContain(reason);
  });
});
