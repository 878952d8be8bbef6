import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { parseSupervisorConf } from "../../../src/supervisor/index.ts";
import {
  appEnvironment,
  type LaunchSpec,
  renderLaunchSpec,
} from "../../../src/supervisor/launcher/spec-file.ts";

const directory = mkdtempSync(join(tmpdir(), "gwe-spec-"));
afterAll(() => rmSync(directory, { recursive: true }));

function spec(command: readonly string[], environment: Readonly<Record<string, string>>): LaunchSpec {
  const conf = parseSupervisorConf({
    text: "[supervisord]",
    appName: "meter",
    here: "/",
    logDir: "/var/log",
    hostName: "gw",
    environment: {},
  });
  const [process] = conf.processes;
  return {
    generation: 1,
    conf,
    process: { ...process, command, environment },
    baseEnvironment: {},
    logs: { stdout: { file: undefined, created: "/dev/null", fifo: "" }, stderr: undefined, streams: [] },
    logRequests: "/run/requests",
    nodeFile: "/usr/bin/node",
  };
}

/** What the started program prints, split at its NUL bytes. */
function run(launch: LaunchSpec): readonly string[] {
  const file = join(directory, "spec");
  writeFileSync(file, renderLaunchSpec(launch));
  const script = `. '${file}'; unset PWD; exec_app() { exec "$@"; }; gwe_exec`;
  const output = execFileSync("/usr/bin/env", ["-i", "/bin/sh", "-c", script], { encoding: "utf8" });
  return output.split("\0").slice(0, -1);
}

const text = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom("'", '"', "\\", "$", "`", " ", "\n", "=", "}", "é"),
      fc.string({ minLength: 1, maxLength: 1 }),
    ),
    maxLength: 20,
  })
  .filter((value) => !value.includes("\0"))
  .map((value) => value.toWellFormed());
const name = fc.oneof(
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/),
  fc.stringMatching(/^[A-Za-z.:+-]{1,9}$/),
  fc.constantFrom("IFS", "PS1", "PPID", "OPTARG", "uid", "gwe_user", "dir"),
);

test("whatever argv and environment hold, the app sees just that", () => {
  fc.assert(
    fc.property(fc.array(text), fc.dictionary(name, text), (words, variables) => {
      expect(run(spec(["/usr/bin/printf", "%s\\0", "first", ...words], variables))).toEqual([
        "first",
        ...words,
      ]);
      const launch = spec(["/usr/bin/env", "-0"], variables);
      const expected = Object.entries(appEnvironment(launch)).map(([key, value]) => `${key}=${value}`);
      expect([...run(launch)].sort()).toEqual(expected.sort());
    }),
    { numRuns: 60 },
  );
});

test("the engine's, pm2's and systemd's own variables are not the app's", () => {
  const base = {
    HOME: "/root",
    http_proxy: "http://p",
    GWE_HOME: "/g",
    PM2_HOME: "/p",
    NODE_OPTIONS: "x",
    INVOCATION_ID: "1",
  };
  const environment = appEnvironment({ ...spec(["x"], { A: "1" }), baseEnvironment: base });
  expect(environment).toEqual({
    GWE_HOME: "/g",
    HOME: "/root",
    http_proxy: "http://p",
    SUPERVISOR_ENABLED: "1",
    SUPERVISOR_PROCESS_NAME: "meter",
    SUPERVISOR_GROUP_NAME: "meter",
    A: "1",
  });
});
