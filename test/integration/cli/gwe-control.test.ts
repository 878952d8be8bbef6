import { appendFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { AppStatus } from "../../../src/core/app-status.ts";
import { silentLogger } from "../../../src/core/logger.ts";
import { otaMigrations } from "../../../src/ota/index.ts";
import { openDatabase } from "../../../src/platform/sqlite.ts";
import { controlServer, engineStatus } from "../../support/control-server.ts";
import { eventually } from "../../support/eventually.ts";
import { type GweHome, gweHome } from "../../support/gwe-home.ts";
import { repositoryRoot, runCommand, startCommand } from "../../support/run-command.ts";

const meter: AppStatus = {
  name: "meter",
  version: "1.2.3",
  kind: "long-running",
  state: "RUNNING",
  sinceMs: 0,
  restarts: 1,
  pid: 42,
  startedAtMs: 0,
};

const ok = (body: unknown) => () => ({ status: 200, body });

describe("without an engine", () => {
  it.each([
    ["setup", "-h"],
    ["status", "--help"],
    ["logs", "meter", "-h"],
  ])("gwe %s explains itself when asked for help", async (...argv) => {
    using home = gweHome();
    const { status, stdout } = await runCommand("gwe", argv, home);
    expect(status).toBe(0);
    expect(stdout).toContain("--serial SERIAL, --server-url URL");
  });

  it.each([["status"], ["start meter"], ["stop meter"], ["restart meter"], ["check-in"]])(
    "gwe %s says so, with the socket and a hint",
    async (line) => {
      using home = gweHome();
      const result = await runCommand("gwe", line.split(" "), home);
      expect(result).toMatchObject({ status: 3, stdout: "" });
      expect(result.stderr).toContain(`the engine is not running (no answer on ${home.paths.controlSocket})`);
      expect(result.stderr.trim().split("\n")).toHaveLength(1);
    },
  );

  it("gwe history reads the journal", async () => {
    using home = gweHome();
    const fresh = await runCommand("gwe", ["history"], home);
    expect(fresh).toMatchObject({ status: 0, stdout: "Nothing has been installed or asked for.\n" });
    const db = openDatabase({
      file: home.paths.gatewayDb,
      migrations: otaMigrations.slice(0, 1),
      logger: silentLogger,
      now: Date.now,
    }).db;
    db.exec(
      `INSERT INTO ota_commands VALUES (1, 'a', NULL, NULL, '', 'local', 0, '[]', 0, 0, 1);
       INSERT INTO ota_jobs VALUES (1, 1, 'meter', '1', NULL, NULL, NULL,
         '{"phase":"committed","note":"","result":{"exitCode":0,"output":"","outputBytesCut":0}}', 9, 1, 0, 0)`,
    );
    db.close();
    expect((await runCommand("gwe", ["history"], home)).stdout).toMatch(
      /^1970-01-01 00:00:00 +install +meter +1 +installed$/m,
    );
  });

  it("a socket that is left over counts as no engine", async () => {
    using home = gweHome();
    const left = await controlServer(home.paths.controlSocket, ok(engineStatus()));
    const name = `${home.paths.controlSocket}.kept`;
    renameSync(home.paths.controlSocket, name);
    await left[Symbol.asyncDispose]();
    writeFileSync(home.paths.controlSocket, "");
    expect(await runCommand("gwe", ["status"], home)).toMatchObject({ status: 3 });
  });

  it("says which group may speak to it", async () => {
    using home = gweHome();
    await using _ = await controlServer(home.paths.controlSocket, ok(engineStatus()));
    const { chmodSync } = await import("node:fs");
    for (const path of [home.home, home.paths.runDir]) chmodSync(path, 0o755);
    chmodSync(home.paths.controlSocket, 0);
    const root = process.getuid?.() === 0;
    const result = await runCommand("gwe", ["status"], { home: home.home, ...(root ? { uid: 65_534 } : {}) });
    expect(result).toMatchObject({ status: 4, stdout: "" });
    expect(result.stderr).toContain("a member of the group gateway-engine");
  });
});

describe("with an engine", () => {
  it("gwe status is readable, and with --json whole", async () => {
    using home = gweHome();
    const status = engineStatus({ apps: [meter] });
    await using _ = await controlServer(home.paths.controlSocket, ok(status));
    const text = await runCommand("gwe", ["status"], home);
    expect(text).toMatchObject({ status: 0, stderr: "" });
    expect(text.stdout).toMatch(/^meter +1\.2\.3 +RUNNING +\d+ days, \d+:\d\d:\d\d +1 +42$/m);
    const json = await runCommand("gwe", ["status", "--json"], home);
    expect(JSON.parse(json.stdout)).toEqual(status);
  });

  it.each(["start", "stop", "restart"])("gwe %s asks for it and prints the state", async (action) => {
    using home = gweHome();
    await using engine = await controlServer(home.paths.controlSocket, ok({ ...meter, state: "STOPPED" }));
    const result = await runCommand("gwe", [action, "meter"], home);
    expect(result).toMatchObject({ status: 0, stdout: "meter: STOPPED\n" });
    expect(engine.requests.map(({ call }) => call)).toEqual([`POST /apps/meter/${action}`]);
  });

  it("gwe check-in", async () => {
    using home = gweHome();
    await using engine = await controlServer(home.paths.controlSocket, () => ({ status: 202, body: "" }));
    expect(await runCommand("gwe", ["check-in"], home)).toMatchObject({ status: 0 });
    expect(engine.requests.map(({ call }) => call)).toEqual(["POST /check-in"]);
  });

  it("passes on why the engine refuses", async () => {
    using home = gweHome();
    const body = { error: { code: "UNKNOWN_APP", message: "there is no application 'meter'\u001b[2J" } };
    await using _ = await controlServer(home.paths.controlSocket, () => ({ status: 404, body }));
    const result = await runCommand("gwe", ["stop", "meter"], home);
    expect(result).toMatchObject({
      status: 1,
      stdout: "",
      stderr: "gwe: there is no application 'meter'\ufffd[2J\n",
    });
  });

  it.each([
    [200, "<html>", /answer is not understood/],
    [200, { engine: {} }, /answer is not understood/],
    [500, "oops", /HTTP status 500/],
  ])("survives the answer %i %j", async (status, body, message) => {
    using home = gweHome();
    await using _ = await controlServer(home.paths.controlSocket, () => ({ status, body }));
    const result = await runCommand("gwe", ["status"], home);
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toMatch(message);
  });

  it("survives an engine that dies in the middle", async () => {
    using home = gweHome();
    await using _ = await controlServer(home.paths.controlSocket, (_request, response) => {
      response.writeHead(200, { "content-length": 1000 });
      response.write("{", () => response.destroy());
      return undefined;
    });
    const result = await runCommand("gwe", ["status"], home);
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toMatch(/^gwe: the engine broke off the connection/);
  });

  it.each([
    ["lines", [], ["33 %  meter 2: unpacking\n", "50 %  meter 2: installing\n"]],
    // A terminal of its own, as wide as none: 80 columns.
    [
      "a bar",
      ["script"],
      ["[##########--------------------]  33 %  meter 2: unpacking", "50 %  meter 2: installing"],
    ],
  ])("gwe install shows how far it is, by %s", async (_, [wrapper], expected) => {
    using home = gweHome();
    const file = join(home.home, "meter.v2.tar.gz");
    writeFileSync(file, "");
    const states = ["unpacking", "unpacking", "installing"];
    let install: ServerResponse | undefined;
    await using _engine = await controlServer(home.paths.controlSocket, ({ call }, response) => {
      if (call === "POST /install") {
        install = response;
        return undefined;
      }
      const state = states.shift();
      if (state !== undefined) {
        return { status: 200, body: engineStatus({ jobs: [{ app: "meter", version: "2", state }] }) };
      }
      const result = { name: "meter", version: "2", status: "installed", exitCode: 0, output: "" };
      install?.writeHead(200).end(JSON.stringify([result]));
      return { status: 200, body: engineStatus() };
    });
    const gwe = join(repositoryRoot, "bin/gwe");
    const { status, stdout, stderr } = await (wrapper === undefined
      ? runCommand("gwe", ["install", file], home)
      : runCommand("/usr/bin/script", ["-qec", `${gwe} install ${file}`, "/dev/null"], home));
    expect(status).toBe(0);
    const text = wrapper === undefined ? stderr : stdout;
    for (const part of expected) expect(text).toContain(part);
    if (wrapper === undefined) expect(stderr).toBe(expected.join(""));
    // The bar is wiped away before the result.
    expect(
      stdout.endsWith(wrapper === undefined ? "meter 2: installed\n" : "\r\u001b[Kmeter 2: installed\r\n"),
    ).toBe(true);
  });

  it("gwe install is the same as --install-apps, and gwe remove asks for it and says what came of it", async () => {
    using home = gweHome();
    const file = join(home.home, "meter.v2.tar.gz");
    writeFileSync(file, "");
    const removed = { name: "meter", version: "2", status: "removed", exitCode: null, output: "bye" };
    await using engine = await controlServer(home.paths.controlSocket, ({ call }) => {
      if (call === "GET /status") return { status: 200, body: engineStatus() };
      return call === "POST /install"
        ? { status: 200, body: [{ ...removed, status: "installed", output: "" }] }
        : { status: 200, body: removed };
    });
    expect(await runCommand("gwe", ["install", file], home)).toMatchObject({
      status: 0,
      stdout: "meter 2: installed\n",
    });
    expect(await runCommand("gwe", ["remove", "meter"], home)).toMatchObject({
      status: 0,
      stdout: "bye\nmeter 2: removed\n",
    });
    const asked = engine.requests.map(({ call }) => call).filter((call) => call !== "GET /status");
    expect(asked).toEqual(["POST /install", "POST /apps/meter/remove"]);
    expect((await runCommand("gwe", ["install"], home)).status).toBe(2);
  });

  it("gwe install waits for the engine that its package restarts, and reports what became of it", async () => {
    using home = gweHome();
    const file = join(home.home, "gateway-engine.v2.tar.gz");
    writeFileSync(file, "");
    const began = 1_000_000;
    const job = { app: "gateway-engine", version: "2", action: "install", exitCode: 0, output: "" };
    const ofBefore = { ...job, status: "installed", startedAtMs: began - 5_000, finishedAtMs: began - 4_000 };
    const ours = { ...job, status: "activating", startedAtMs: began + 100, finishedAtMs: null };
    const ended = { ...ours, status: "rolled-back", finishedAtMs: began + 9_000, output: "no check-in\n" };
    const histories = [[ofBefore], [ours, ofBefore], [ended, ofBefore]];
    await using _engine = await controlServer(home.paths.controlSocket, ({ call }, response) => {
      if (call === "GET /status") return { status: 200, body: engineStatus({ nowMs: began }) };
      if (call === "GET /history") return { status: 200, body: histories.shift() };
      response.destroy();
      return undefined;
    });
    const { status, stdout, stderr } = await runCommand("gwe", ["install", file], home);
    expect([status, stdout]).toEqual([1, "no check-in\ngateway-engine 2: rolled-back\n"]);
    expect(stderr).toContain("the engine restarts");
  });

  it("gwe history shows past jobs, of one app where it is named, with their output when asked for", async () => {
    using home = gweHome();
    const record = {
      app: "meter",
      version: "2",
      action: "install",
      status: "rolled-back",
      startedAtMs: 0,
      finishedAtMs: Date.UTC(2026, 2, 1, 10, 0, 9),
      exitCode: 3,
      output: "one\n\u001b[2Jtwo\n",
    };
    await using engine = await controlServer(home.paths.controlSocket, ok([record]));
    const text = await runCommand("gwe", ["history", "meter", "--output"], home);
    expect(text.stdout).toMatch(
      /^TIME.*\n2026-03-01 10:00:09 +install +meter +2 +rolled-back \(exit status 3\)\n {4}one\n {4}\ufffd\[2Jtwo\n$/,
    );
    expect(JSON.parse((await runCommand("gwe", ["history", "--json"], home)).stdout)).toEqual([record]);
    expect(engine.requests.map(({ call }) => call)).toEqual(["GET /history/meter", "GET /history"]);
  });

  it("gwe --install-apps hands the files over and prints what became of each", async () => {
    using home = gweHome();
    writeFileSync(join(home.home, "meter.v2.tar.gz"), "");
    writeFileSync(join(home.home, "once.v1.tar.gz"), "");
    await using engine = await controlServer(
      home.paths.controlSocket,
      ok([
        { name: "meter", version: "2", status: "installed", exitCode: 0, output: "done" },
        { name: "once", version: "1", status: "failed", exitCode: 7, output: "" },
      ]),
    );
    const result = await runCommand("gwe", ["-I", "meter.v2.tar.gz", "once.v1.tar.gz"], {
      home: home.home,
      cwd: home.home,
    });
    expect(result).toMatchObject({
      status: 1,
      stdout: "done\nmeter 2: installed\nonce 1: failed (exit status 7)\n",
    });
    expect(engine.requests).toEqual([
      {
        call: "POST /install",
        body: JSON.stringify({
          files: [join(home.home, "meter.v2.tar.gz"), join(home.home, "once.v1.tar.gz")],
        }),
      },
    ]);
  });
});

describe("gwe logs", () => {
  const log = (home: GweHome, app: string, text: string): string => {
    mkdirSync(home.paths.logDir, { recursive: true });
    const file = join(home.paths.logDir, `${app}.log`);
    writeFileSync(file, text);
    return file;
  };

  it("shows the usual file when the engine is away, byte for byte", async () => {
    using home = gweHome();
    log(home, "meter", "1\n2\n3\n4\n");
    expect(await runCommand("gwe", ["logs", "meter", "-n", "2"], home)).toMatchObject({
      status: 0,
      stdout: "3\n4\n",
    });
    expect((await runCommand("gwe", ["logs", "-n1", "meter"], home)).stdout).toBe("4\n");
  });

  it("shows the file that the engine names, and knows which apps there are", async () => {
    using home = gweHome();
    const file = log(home, "elsewhere", "here\n");
    await using _ = await controlServer(
      home.paths.controlSocket,
      ok(
        engineStatus({
          apps: [
            { ...meter, logFile: file },
            { ...meter, name: "two", stderrLogFile: file },
          ],
        }),
      ),
    );
    expect((await runCommand("gwe", ["logs", "two", "--stderr"], home)).stdout).toBe("here\n");
    expect((await runCommand("gwe", ["logs", "meter"], home)).stdout).toBe("here\n");
    expect(await runCommand("gwe", ["logs", "meter", "--stderr"], home)).toMatchObject({
      status: 1,
      stderr: "gwe: stderr of meter has no log of its own: it goes where stdout goes, or nowhere\n",
    });
    const unknown = await runCommand("gwe", ["logs", "metre"], home);
    expect(unknown).toMatchObject({
      status: 1,
      stderr: "gwe: there is no application 'metre'; installed: meter, two\n",
    });
  });

  it("follows over a rotation, and ends at once at Ctrl-C", async () => {
    using home = gweHome();
    const file = log(home, "gwe", "1\n2\n");
    const child = startCommand("gwe", ["logs", "gwe", "-f", "-n", "1"], home);
    let shown = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      shown += chunk.toString();
    });
    const ended = new Promise((resolve) => child.once("close", (_, signal) => resolve(signal)));
    try {
      await eventually("the last line", () => shown === "2\n");
      appendFileSync(file, "3\n");
      renameSync(file, `${file}.1`);
      writeFileSync(file, "4\n");
      await eventually("both files", () => shown === "2\n3\n4\n");
    } finally {
      child.kill("SIGINT");
    }
    expect(await ended).toBe("SIGINT");
  });

  it("ends quietly when its reader goes away", async () => {
    using home = gweHome();
    log(home, "meter", "line\n".repeat(200_000));
    const child = startCommand("gwe", ["logs", "meter", "-n", "200000"], home);
    let complaints = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      complaints += chunk.toString();
    });
    const ended = new Promise((resolve) => child.once("close", (status) => resolve(status)));
    child.stdout?.once("data", () => child.stdout?.destroy());
    expect(await ended).toBe(0);
    expect(complaints).toBe("");
  });
});
