import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../support/engine-process.ts";
import { startCommand } from "../../support/run-command.ts";
import { Gateway } from "./gateway.ts";
import { longRunning, oneOff } from "./packages.ts";

// The CIK is printed, echoed and replaced in every way that a gateway meets, at log level DEBUG.
let gateway: Gateway;
const ciks: string[] = [];

beforeAll(async () => {
  gateway = await Gateway.running({ engineConfig: ["check_in = long-poll"] });
  ciks.push(gateway.cik);
});

afterAll(() => gateway?.[Symbol.asyncDispose]());

const leaks = (text: string): boolean => ciks.some((cik) => text.includes(cik));

/** Command lines and names, as any user of the gateway may read them. */
function titles(): readonly string[] {
  return gateway.engine.processes().flatMap(({ pid, command }) => {
    try {
      return [command, readFileSync(`/proc/${pid}/comm`, "latin1")];
    } catch {
      return []; // It has ended.
    }
  });
}

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

async function everythingMuranoHolds(): Promise<string> {
  const aliases = ["fetch_status", "engine_report", "device_info", "engine_fetch", "update_interval"];
  const histories = await Promise.all(aliases.map((alias) => gateway.device.history(alias)));
  return JSON.stringify(histories);
}

test("an installer's output is reported without the CIK that it printed", async () => {
  const shout = 'gwe --gateway-cik; cat "$GWE_HOME/etc/Gateway.cfg"; gwe --gateway-cfg; gwe -C >&2';
  await gateway.upload("shout.v1.tar.gz", oneOff(`${shout}; gdc write "$(gwe -C)" greeting hello`));
  await gateway.upload("scream.v1.tar.gz", oneOff(`${shout}; exit 9`));
  await gateway.upload("meter.v1.tar.gz", longRunning(gateway.engine, "meter", "1", shout));
  const id = await gateway.order("shout.v1.tar.gz", "scream.v1.tar.gz", "meter.v1.tar.gz");
  const { apps } = await gateway.result(id);
  expect(apps.map(({ status }) => status)).toEqual(["installed", "failed", "installed"]);
  for (const { output } of apps) expect(output).toMatch(/^\[redacted\]\n[\s\S]*cik = \[redacted\]\n/);
  expect(await gateway.device.latest("greeting")).toBe("hello");
  expect(leaks(await everythingMuranoHolds())).toBe(false);
});

test("a server that sends the CIK back does not get it into the log or into gwe status", async () => {
  const { murano } = gateway;
  const body = `no such device: ${gateway.cik}`;
  for (const status of [400, 500]) {
    murano.addFault({ match: { procedure: "write-read" }, status, body, count: 1 });
    const after = murano.cursor;
    await gateway.checkIn();
    await murano.waitForRequest({ procedure: "write-read", status, after });
    await eventually("an error", async () => (await gateway.engine.status())?.checkIn.lastError ?? undefined);
    expect(leaks((await gateway.gwe("status", "--json")).stdout)).toBe(false);
    expect(leaks((await gateway.gwe("status")).stdout)).toBe(false);
  }
  await gateway.checkIn();
});

test("a CIK that is replaced stays as secret as the new one", async () => {
  const { device, murano } = gateway;
  // Where an installer of long ago may have noted it.
  const note = join(gateway.engine.home, "note");
  writeFileSync(note, `it was ${gateway.cik}\n`, { mode: 0o600 });
  await device.enable();
  const after = murano.cursor;
  await gateway.checkIn();
  await gateway.checkedIn(after);
  ciks.push(gateway.cik);
  await gateway.upload("remember.v1.tar.gz", oneOff(`cat ${note}; rm ${note}; gwe -C`));
  const { apps } = await gateway.result(await gateway.order("remember.v1.tar.gz"));
  expect(apps[0]?.output).toBe("it was [redacted]\n[redacted]\n");
});

test("no process shows it, the commands of scripts at work included", async () => {
  expect(titles().some((title) => title.startsWith("gwe-pm2"))).toBe(true);
  expect(titles().filter(leaks)).toEqual([]);
  // gdc's interface has the CIK as an argument: it is gone from the title as soon as gdc can take it away.
  gateway.murano.addFault({ match: { procedure: "write" }, latencyMs: 500, count: 1 });
  const gdc = startCommand("gdc", ["write", gateway.cik, "slow", "1"], { home: gateway.engine.home });
  const ended = new Promise((resolve) => gdc.once("close", resolve));
  await gateway.murano.waitForOpenRequest({ procedure: "write" });
  const title = readFileSync(`/proc/${gdc.pid}/cmdline`, "latin1");
  expect(title).toContain("gdc");
  expect(leaks(title)).toBe(false);
  expect(await ended).toBe(0);
});

test("no log has it, and no file that others may read", async () => {
  const { engine } = gateway;
  expect(engine.output).toContain("DEBUG");
  expect(leaks(engine.output)).toBe(false);
  const holding = filesBelow(engine.home).filter((file) => leaks(readFileSync(file, "latin1")));
  expect(holding).toEqual([engine.paths.gatewayCfg]);
  expect(statSync(engine.paths.gatewayCfg).mode & 0o777).toBe(0o640);
  // The database and the apps' environments are nobody else's business either.
  const { gatewayDb, pm2Home, runDir } = engine.paths;
  for (const path of [gatewayDb, pm2Home, `${runDir}/apps`, `${runDir}/apps/meter/spec`]) {
    expect({ path, others: statSync(path).mode & 0o007 }).toEqual({ path, others: 0 });
  }
  expect(statSync(engine.paths.controlSocket).mode & 0o777).toBe(0o660);
  expect(leaks(await everythingMuranoHolds())).toBe(false);
});
