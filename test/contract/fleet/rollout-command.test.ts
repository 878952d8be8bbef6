import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestEmulator, type TestEmulator } from "../../support/emulator.ts";
import { fleetCommand } from "../../support/fleet-command.ts";
import { ReportingGateway } from "../../support/reporting-gateway.ts";

let emulator: TestEmulator;

beforeAll(async () => {
  emulator = await startTestEmulator({ rolloutsEveryMs: 100 });
  await emulator.addContent("pump", "meter.v2.tar.gz", "a package");
});
afterAll(() => emulator.close());

const fleet = (...argv: string[]) => fleetCommand(emulator, ["rollout", ...argv]);

async function json(...argv: string[]): Promise<Record<string, unknown>> {
  const { stdout, stderr, status } = await fleet(...argv, "--json");
  expect([status, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as Record<string, unknown>;
}

const plan = ["--filter", "sn:R*", "--install", "meter.v2.tar.gz", "--waves", "1,100%", "--soak", "0"];

test("a roll-out is started, watched to its stop, looked into, resumed and rolled back", async () => {
  const gateways = await Promise.all(
    ["R1", "R2"].map((sn) => ReportingGateway.activate(emulator, "pump", sn)),
  );
  const started = await json("start", "meter 2", ...plan, "--max-failures", "0");
  expect(started).toMatchObject({
    name: "meter 2",
    command: { install: [{ name: "meter.v2.tar.gz" }] },
    soakS: 0,
    maxFailurePercent: 0,
  });
  const id = String(started.id);

  const watching = fleet("watch", id);
  const first = await Promise.any(
    gateways.map(async (one) => {
      await emulator.device("pump", one.sn).waitForValue("engine_fetch");
      return one;
    }),
  );
  await first.take();
  await first.answer(id, "failed", "no space left");
  const watched = await watching;
  expect(watched.status).toBe(1);
  expect(watched.stdout).toContain("stopped: 1 of 1 gateways of wave 1 failed: more than 0 %");

  const failed = await fleet("gateways", id, "--state", "failed");
  expect(failed.stdout).toMatch(new RegExp(`${first.sn} +1 +failed +meter 2 failed: no space left`));
  expect((await fleet("list")).stdout).toMatch(
    new RegExp(`${id} +meter 2 .* stopped +1 of 2 +1 failed, 1 pending`),
  );
  expect(await json("resume", id)).toMatchObject({ state: "running" });

  const other = gateways.find((one) => one !== first) as ReportingGateway;
  await emulator.device("pump", other.sn).waitForValue("engine_fetch");
  await other.take();
  await other.answer(id, "installed");
  expect(await fleet("watch", id)).toMatchObject({ status: 0 });
  expect(await json("roll-back", id)).toMatchObject({ state: "rolling-back" });
  await emulator.device("pump", other.sn).waitForValue("engine_fetch");
  const undo = await other.take();
  await other.answer(undo.id, "removed");
  expect((await fleet("watch", id)).stdout).toMatch(/^State +rolled-back$/m);
  expect(await fleet("pause", id)).toMatchObject({ status: 8, stderr: expect.stringContaining("'pause'") });
});

test.each([
  [["start", "x", "--install", "a.v1.tar.gz"], "--filter"],
  [["start", "x", "--filter", ""], "--install PACKAGE or --command"],
  [["start", "x", "--filter", "", "--command", "[]"], "--command is an object"],
  [["start", "x", "--filter", "", "--command", '{"report":true}', "--soak", "long"], "--soak takes a number"],
  [["gather"], "usage"],
])("%j is refused", async (argv, message) => {
  expect(await fleet(...argv)).toMatchObject({ status: 2, stderr: expect.stringContaining(message) });
});

test("what the server refuses is told in its own words", async () => {
  const nobody = await fleet("start", "x", "--filter", "sn:nobody", "--command", '{"report":true}');
  expect(nobody).toMatchObject({ status: 8, stderr: expect.stringContaining("no gateway matches") });
  const odd = await fleet("start", "x", "--filter", "is:odd", "--command", '{"report":true}');
  expect(odd).toMatchObject({ status: 1, stderr: expect.stringContaining("'is:' takes") });
});
