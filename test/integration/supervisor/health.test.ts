import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Supervisor } from "../../../src/supervisor/index.ts";
import { Gateway, processesUnder, statusOf, until, untilState } from "./harness.ts";

let gateway: Gateway;
let supervisor: Supervisor;
const told: string[] = [];

beforeAll(async () => {
  gateway = new Gateway({ report: (text) => told.push(text) });
  supervisor = gateway.engine();
  await supervisor.start();
});

afterAll(() => gateway.dispose());

/** What was reported of an app. */
function reports(name: string): readonly string[] {
  return told.filter((text) => text.startsWith(`${name} `));
}

/** An app whose `[gwe]` section is `health`; its script goes on for ever. */
async function deploy(name: string, health: string, conf = "startsecs=0", check = ""): Promise<string> {
  const app = gateway.app(name, `command=sleep 1000\n${conf}\n[gwe]\nhealth_interval=1\n${health}`);
  writeFileSync(join(app.directory, "check.sh"), `#!/bin/sh\n${check}\n`, { mode: 0o755 });
  await supervisor.deploy(app);
  await untilState(supervisor, name, "RUNNING");
  return app.directory;
}

describe.concurrent("probes", () => {
  test("a probe that fails too often in a row has the app restarted, which is reported", async () => {
    const directory = await deploy(
      "meter",
      "health_command=./check.sh\nhealth_failures=2",
      "startsecs=0\nenvironment=KEY=val",
      'echo "$KEY $SUPERVISOR_PROCESS_NAME $(pwd)" >seen; echo asked >>asked; echo "no meter on the bus" >&2; exit 3',
    );
    const { pid } = await statusOf(supervisor, "meter");
    const status = await until(async () => {
      const now = await statusOf(supervisor, "meter");
      return now.state === "RUNNING" && now.pid !== pid && now;
    });
    expect(readFileSync(join(directory, "seen"), "utf8")).toBe(`val meter ${directory}\n`);
    const detail = "health_command ended with exit status 3: no meter on the bus";
    expect(status).toMatchObject({ health: "failing", healthRestarts: 1, healthDetail: detail, restarts: 1 });
    expect(reports("meter")).toEqual([
      `meter is unhealthy and was restarted: 2 probes in a row failed: ${detail}`,
    ]);
  });

  test("a probe that hangs is ended with all it started, and counts as failed; none runs beside it", async () => {
    const directory = await deploy(
      "slow",
      "health_command=./check.sh\nhealth_timeout=1\nhealth_failures=1",
      "startsecs=0",
      "echo $$ >>probes; sleep 1000 & sleep 1000",
    );
    await until(() => reports("slow").length === 1);
    expect(reports("slow")[0]).toMatch(/health_command did not end within 1 s$/);
    expect(readFileSync(join(directory, "probes"), "utf8").trim().split("\n")).toHaveLength(1);
    const probes = processesUnder(directory).filter(({ command }) => command.includes("check.sh"));
    expect(probes).toEqual([]);
  });

  test("nothing is probed that does not run", async () => {
    const directory = await deploy("idle", "health_command=./check.sh", "startsecs=0", "echo asked >>asked");
    await until(() => existsSync(join(directory, "asked")));
    await supervisor.stopApp("idle");
    const asked = readFileSync(join(directory, "asked"), "utf8");
    const beacon = await deploy("beacon", "health_command=./check.sh", "startsecs=0", "echo asked >>asked");
    // The other app's second probe is a full interval and more after the stop.
    await until(
      () => existsSync(join(beacon, "asked")) && readFileSync(join(beacon, "asked"), "utf8").length > 10,
    );
    expect(readFileSync(join(directory, "asked"), "utf8")).toBe(asked);
  });

  test("an URL is well when it answers 2xx or 3xx", async () => {
    let answer = 204;
    let asked = 0;
    const server = createServer((_, response) => {
      asked += 1;
      response.writeHead(answer).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      await deploy("web", `health_url=http://127.0.0.1:${port}/health\nhealth_failures=1`);
      await until(() => asked >= 1);
      expect(await statusOf(supervisor, "web")).toMatchObject({ restarts: 0 });
      answer = 503;
      await until(() => reports("web").length === 1);
      expect(reports("web")[0]).toMatch(/health_url answered with HTTP status 503$/);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  test.runIf(process.getuid?.() === 0 && process.env.GWE_TEST_PATH === undefined)(
    "a probe runs as the app's user",
    async () => {
      await deploy(
        "nobody",
        "health_command=/bin/sh -c 'echo uid $(id -u) groups $(id -G) >&2; exit 1'\nhealth_failures=1",
        "startsecs=0\nuser=nobody\ndirectory=/",
      );
      await until(() => reports("nobody").length === 1);
      expect(reports("nobody")[0]).toMatch(/exit status 1: uid 65534 groups 65534$/);
    },
  );
});

test("an app that goes on failing is not restarted again so soon, which another engine knows too", async () => {
  const status = await statusOf(supervisor, "meter");
  const directory = gateway.path("apps/meter.v1");
  // It goes on failing, but the next restart has to wait; another engine knows that too.
  await supervisor.stop();
  const next = gateway.engine();
  await next.start();
  const asked = (): number => readFileSync(join(directory, "asked"), "utf8").split("\n").length - 1;
  const before = asked();
  await until(() => asked() >= before + 3);
  expect(await statusOf(next, "meter")).toMatchObject({
    pid: status.pid,
    health: "failing",
    healthRestarts: 1,
  });
  expect(reports("meter")).toHaveLength(1);

  writeFileSync(join(directory, "check.sh"), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
  await until(async () => (await statusOf(next, "meter")).health === "ok");
});
