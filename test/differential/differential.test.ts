import { chmodSync, mkdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Gateway } from "../integration/supervisor/harness.ts";
import { cases } from "./cases/index.ts";
import { compare, describe as describeDifference } from "./compare.ts";
import { OwnSupervisor } from "./own-supervisor.ts";
import { RealSupervisord } from "./real-supervisord.ts";
import { observe } from "./side.ts";

/** What both supervisors are started with. */
const environment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LANG: "C.UTF-8",
  HOME: "/root",
  SITE: "north",
};

const gateway = new Gateway({ environment, hostName: hostname(), pingTimeoutMs: 10_000 });
const supervisor = gateway.engine();
const own = new OwnSupervisor(gateway, supervisor);
const real = new RealSupervisord(gateway.path("real"), environment);

beforeAll(async () => {
  // Apps under another user have to get at their directories.
  chmodSync(gateway.root, 0o755);
  mkdirSync(gateway.path("real"));
  await supervisor.start();
});
afterAll(() => gateway.dispose());

describe.concurrent("under the engine as under supervisord", () => {
  test.each(cases)("$name", async (one) => {
    const lateness = monitorEventLoopDelay();
    lateness.enable();
    const [theirs, ours] = await Promise.all([observe(real, one), observe(own, one)]);
    lateness.disable();
    const differences = compare(theirs, ours, lateness.max / 1e9);
    const unlisted = differences.filter(({ aspect }) => one.differs?.[aspect] === undefined);
    expect(unlisted.map(describeDifference).join("")).toBe("");
    const vanished = Object.keys(one.differs ?? {}).filter(
      (listed) => !differences.some(({ aspect }) => aspect === listed),
    );
    expect(vanished, "listed differences that are none any more").toEqual([]);
  });
});

test("every listed difference has its reason in the documentation, and none is there for nothing", () => {
  const text = readFileSync(join(import.meta.dirname, "../../docs/supervision.md"), "utf8");
  const section = text.split("\n## Differences from supervisord\n")[1]?.split("\n## ")[0] ?? "";
  const tested = section.split("\n### ")[0] ?? "";
  const documented = [...tested.matchAll(/^\| `([a-z-]+)`/gm)].map(([, name]) => name);
  const used = cases.flatMap(({ differs = {} }) => Object.values(differs));
  expect(documented.sort()).toEqual([...new Set(used)].sort());
});

test("a case has a name of its own", () => {
  const names = cases.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(60);
});
