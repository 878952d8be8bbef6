import fc from "fast-check";
import { expect, test } from "vitest";
import { gatewayFacts } from "../../../../src/emulator/fleet/facts.ts";
import { engineReport } from "../../../../src/telemetry/engine-report.ts";

const facts = (values: Readonly<Record<string, string>>) =>
  gatewayFacts(new Map(Object.entries(values).map(([alias, text]) => [alias, { ts: 5, text }])));

test("the engine's own report is understood", () => {
  const text = engineReport({
    apps: [
      {
        name: "meter",
        version: "1.2",
        state: "RUNNING",
        pid: 1,
        startedAtMs: 0,
      } as unknown as Parameters<typeof engineReport>[0]["apps"][number],
    ],
    engineVersion: "0.1.0",
    engine: {
      uptimeMs: 1000,
      lastCheckInMs: undefined,
      lastFailure: undefined,
      diskWrittenInDayBytes: undefined,
    },
    queue: undefined,
    nowMs: 5000,
  });
  expect(facts({ engine_report: text })).toEqual({
    apps: [{ name: "meter", version: "1.2", status: "RUNNING" }],
    engine: "0.1.0",
  });
});

test("the fullest file system that can be written counts", () => {
  const filesystems = [
    { mount: "/", total: 100, used: 20 },
    { mount: "/data", total: 1000, used: 905 },
    { mount: "/rom", read_only: true, total: 5, used: 5 },
    { mount: "/odd", total: 0, used: 0 },
  ];
  expect(facts({ device_info: JSON.stringify({ filesystems }) }).disk).toBe(91);
});

test("traffic is the sum of the interfaces' counters, and absent where none has any", () => {
  const usage = (value: unknown) => facts({ usage_report: JSON.stringify(value) }).traffic;
  expect(usage({ eth0: { rx: 1, tx: 2, consumers: {} }, ppp0: { rx: 3, tx: 4 } })).toBe(10);
  expect(usage({ eth0: { top_consumer: "", consumers: {} } })).toBeUndefined();
});

test("a waiting command is named by its id, else by its text", () => {
  const pending = (engine_fetch: string) => facts({ engine_fetch }).pending;
  expect(pending('{"id":7,"stop":["meter"]}')).toBe("7");
  expect(pending('{"stop":["meter"]}')).toBe('{"stop":["meter"]}');
  expect(pending("")).toBeUndefined();
});

test("of a command's apps the one that went wrong is told", () => {
  const app = (name: string, status: string) => ({ name, version: "1", status });
  const result = facts({
    fetch_status: JSON.stringify({ id: "a", apps: [app("one", "installed"), app("two", "rolled-back")] }),
  });
  expect(result.result).toEqual({ ts: 5, id: "a", status: "rolled-back", app: "two", version: "1" });
});

test("no value that a gateway could write breaks it", () => {
  const aliases = ["engine_report", "device_info", "usage_report", "engine_fetch", "fetch_status"];
  fc.assert(
    fc.property(fc.constantFrom(...aliases), fc.oneof(fc.string(), fc.json()), (alias, text) => {
      expect(Array.isArray(facts({ [alias]: text }).apps)).toBe(true);
    }),
  );
  for (const value of [{ apps: [{ a: {} }] }, { apps: "x" }, { apps: [1] }, { filesystems: [null] }, null]) {
    for (const alias of aliases) expect(facts({ [alias]: JSON.stringify(value) }).apps).toBeDefined();
  }
});
