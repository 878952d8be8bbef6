import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startTestEmulator, type TestEmulator } from "../../support/emulator.ts";
import { type FleetRun, fleetCommand } from "../../support/fleet-command.ts";

let emulator: TestEmulator;
let directory: string;
/** Each test has a product of its own. */
let product: string;
let count = 0;

beforeAll(async () => {
  emulator = await startTestEmulator();
  directory = await mkdtemp(join(tmpdir(), "fleet-files-"));
});

afterAll(async () => {
  await emulator.close();
  await rm(directory, { recursive: true });
});

beforeEach(async () => {
  count += 1;
  product = `fleet${count}`;
  await emulator.addProduct(product);
});

const fleet = (...argv: string[]): Promise<FleetRun> => fleetCommand(emulator, argv);

async function json(...argv: string[]): Promise<unknown> {
  const { status, stdout, stderr } = await fleet(...argv, "--json");
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return JSON.parse(stdout);
}

/** Takes the waiting command as an engine does, and tells how it ended. */
async function takeAndTell(sn: string, status: string): Promise<void> {
  const device = emulator.device(product, sn);
  const { id } = JSON.parse(await device.waitForValue("engine_fetch")) as { id: string };
  await device.write("engine_fetch", "");
  const app = { name: "meter", version: "1.2", status, output: "line\nthe last line\n" };
  await device.write("fetch_status", JSON.stringify({ id, apps: [app] }));
}

test.each([
  ["status", "--filter", "tag:pilot"],
  ["deploy", "meter.v1.tar.gz", "--all", "--filter", "tag:pilot"],
  ["write", "alias", "1", "--all", "--dry-run"],
  ["enable", "P", "A1", "--watch"],
])("gwe fleet %s passes over no option that is another command's", async (command, ...rest) => {
  const { status, stderr } = await fleet(command, ...rest);
  expect(status).toBe(2);
  expect(stderr).toMatch(new RegExp(`--[a-z-]+ is no option of 'gwe fleet ${command}'`));
});

describe("status", () => {
  test("tells versions, states, what waits and how the last command ended", async () => {
    const device = await emulator.addSerial(product, "A1");
    await emulator.addSerial(product, "B1");
    await device.write(
      "engine_report",
      '{"apps":[{"gwe":{"version":"0.1.0","status":"RUNNING"}},{"meter":{"version":"1.2","status":"FATAL"}}]}',
    );
    await device.write("engine_fetch", '{"restart":["meter"]}');
    await device.write(
      "fetch_status",
      '{"id":"x","apps":[{"name":"meter","version":"1.2","status":"installed"}]}',
    );
    expect(await json("status", "--product", product)).toMatchObject([
      {
        sn: "A1",
        engine: "0.1.0",
        apps: [{ name: "meter", version: "1.2", status: "FATAL" }],
        waiting: '{"restart":["meter"]}',
        result: "meter 1.2 installed",
      },
      { sn: "B1", reported: null, apps: [], waiting: "" },
    ]);
    const { stdout } = await fleet("status", "--product", product, "--sn", "a*");
    expect(stdout).toMatch(/^PRODUCT +SERIAL .*\n.* A1 .* ago +0\.1\.0 +meter 1\.2 FATAL/);
    expect(stdout).not.toContain("B1");
  });

  test("of a group tells those in groups in it too, and none whose membership has expired", async () => {
    for (const sn of ["A1", "A2", "A3", "A4"]) await emulator.addSerial(product, sn);
    const groups = `/provision/manage/group/${product}/`;
    for (const id of ["outer", "inner"]) await emulator.owner("POST", groups, { form: { id } });
    const join = (group: string, form: Record<string, string>) =>
      emulator.owner("POST", `${groups}${group}/`, { form });
    await join("outer", { type: "sn", id: "A1" });
    await join("outer", { type: "group", id: "inner" });
    await join("inner", { type: "sn", id: "A2" });
    await join("inner", { type: "sn", id: "A3", expire: "1000" });
    await join("inner", { type: "group", id: "outer" });
    const found = (await json("status", "--group", "outer")) as { sn: string }[];
    expect(found.map(({ sn }) => sn)).toEqual(["A1", "A2"]);
  });
});

describe("tags", () => {
  test("come with the serials, choose gateways, are given and taken away, and stay through a swap", async () => {
    const csv = "A1,hall-3; lab\nA2,lab\nA3\n";
    expect((await fleetCommand(emulator, ["add", product, "-", "--enable"], { stdin: csv })).status).toBe(0);
    const tagged = async (tag: string) => {
      const found = (await json("status", "--product", product, "--tag", tag)) as { sn: string }[];
      return found.map(({ sn }) => sn);
    };
    expect(await tagged("lab")).toEqual(["A1", "A2"]);
    expect(await tagged("hall-*,attic")).toEqual(["A1"]);
    const named = ["--product", product, "--sn", "A2,A3"];
    expect(await json("tag", "lab,pilot", ...named)).toEqual({
      tags: ["lab", "pilot"],
      chosen: 2,
      changed: 2,
    });
    expect(await json("tag", "lab", "--remove", ...named)).toMatchObject({ changed: 2 });
    expect(await tagged("pilot")).toEqual(["A2", "A3"]);
    expect(await tagged("lab")).toEqual(["A1"]);
    expect((await fleet("tag", "two words", "--all")).status).toBe(2);
    expect((await fleet("swap", product, "A1", "B1")).status).toBe(0);
    expect(await tagged("lab")).toEqual(["B1"]);
  });
});

describe("deploy", () => {
  test("writes the command where none waits, and leaves alone what does", async () => {
    await emulator.addContent(product, "meter.v1.2.tar.gz", "x");
    const free = await emulator.addSerial(product, "A1");
    const busy = await emulator.addSerial(product, "A2");
    await busy.write("engine_fetch", '{"restart":["other"]}');
    const run = await fleet("deploy", "meter.v1.2.tar.gz", "--product", product, "--all", "--json");
    expect(run.status).toBe(1);
    const { id, gateways } = JSON.parse(run.stdout) as { id: string; gateways: unknown[] };
    expect(gateways).toMatchObject([
      { sn: "A1", state: "waiting" },
      { sn: "A2", state: "blocked", detail: 'another command waits: {"restart":["other"]}' },
    ]);
    expect(JSON.parse((await free.latest("engine_fetch")) ?? "")).toEqual({
      install: [{ name: "meter.v1.2.tar.gz" }],
      id,
    });
    expect(await busy.latest("engine_fetch")).toBe('{"restart":["other"]}');
  });

  test("follows it to its end with --wait", async () => {
    await emulator.addSerial(product, "A1");
    await emulator.addSerial(product, "A2");
    const command = ["--command", '{"restart":["meter"]}', "--product", product, "--all", "--wait", "20"];
    const [run] = await Promise.all([
      fleet("deploy", ...command, "--json"),
      takeAndTell("A1", "restarted"),
      takeAndTell("A2", "failed"),
    ]);
    expect(run.status).toBe(1);
    expect(JSON.parse(run.stdout)).toMatchObject({
      gateways: [
        { sn: "A1", state: "succeeded", detail: "meter 1.2 restarted" },
        { sn: "A2", state: "failed", detail: "meter 1.2 failed: the last line" },
      ],
    });
  });

  test("uploads first where it is told to, and sends nothing in a dry run", async () => {
    const device = await emulator.addSerial(product, "A1");
    const file = join(directory, "pump.v3.tar.gz");
    await writeFile(file, "a package");
    const dry = await fleet("deploy", file, "--upload", "--dry-run", "--product", product, "--all");
    expect(dry).toMatchObject({ status: 0, stdout: expect.stringContaining("Would be sent: 1 waiting") });
    expect(await device.latest("engine_fetch")).toBeUndefined();
    expect((await fleet("deploy", file, "--upload", "--product", product, "--all")).status).toBe(0);
    expect(await device.latest("engine_fetch")).toContain('"pump.v3.tar.gz"');
    expect(await json("content", "list", product)).toMatchObject([
      { id: "pump.v3.tar.gz", sizeBytes: 9, contentType: "application/gzip" },
    ]);
  });

  test("of a content that is not there sends nothing", async () => {
    const device = await emulator.addSerial(product, "A1");
    const run = await fleet("deploy", "meter.v9.tar.gz", "--product", product, "--all");
    expect(run).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("has no content meter.v9.tar.gz"),
    });
    expect(await device.latest("engine_fetch")).toBeUndefined();
  });

  test("to nobody in particular is refused", async () => {
    const run = await fleet("deploy", "meter.v9.tar.gz");
    expect(run).toMatchObject({ status: 2, stderr: expect.stringContaining("which gateways?") });
  });
});

describe("a command that comes between the look and the write", () => {
  test("is put back", async () => {
    const device = await emulator.addSerial(product, "A1");
    // The write is held back for so long that another command comes before it.
    emulator.addFault({ id: "slow", match: { procedure: "rpc" }, latencyMs: 300 });
    try {
      const deploying = fleet(
        "deploy",
        "--command",
        '{"report":true}',
        "--product",
        product,
        "--sn",
        "A1",
        "--json",
      );
      await emulator.waitForRequest({ procedure: "rpc", after: emulator.cursor });
      await device.write("engine_fetch", '{"restart":["meter"]}');
      const run = await deploying;
      expect(JSON.parse(run.stdout)).toMatchObject({ gateways: [{ sn: "A1", state: "blocked" }] });
    } finally {
      emulator.clearFaults();
    }
    expect(await device.latest("engine_fetch")).toBe('{"restart":["meter"]}');
  });
});

describe("dataports", () => {
  test("are written and read for many at once", async () => {
    await emulator.addSerial(product, "A1");
    await emulator.addSerial(product, "A2");
    const written = await fleet("write", "update_interval", "60", "--product", product, "--sn", "A?");
    expect(written).toMatchObject({ status: 0, stdout: "2 of 2 written\n" });
    expect(await json("read", "update_interval", "nothing", "--product", product)).toMatchObject([
      { sn: "A1", values: { update_interval: { value: "60" } } },
      { sn: "A2", values: { update_interval: { value: "60" } } },
    ]);
  });

  test("a command that waits is not overwritten by write either", async () => {
    const device = await emulator.addSerial(product, "A1");
    await device.write("engine_fetch", '{"restart":["meter"]}');
    const run = await fleet("write", "engine_fetch", '{"report":true}', "--product", product, "--all");
    expect(run).toMatchObject({ status: 1, stdout: expect.stringContaining("another command waits") });
    expect(await device.latest("engine_fetch")).toBe('{"restart":["meter"]}');
  });
});

describe("serials", () => {
  test("come in bulk from CSV; those in the field are left as they are", async () => {
    const { cik } = await emulator.addActivated(product, "A1");
    const file = join(directory, "serials.csv");
    await writeFile(file, 'A1,old\r\n"A,2","with ""quotes"""\nA3\n');
    expect(await json("add", product, file, "--enable")).toEqual({ added: ["A,2", "A3"], known: 1 });
    expect(await emulator.device(product, "A,2").activate()).toHaveLength(40);
    const alive = await fetch(`${emulator.url}/onep:v1/stack/alias?engine_fetch`, {
      headers: { "X-Exosite-CIK": cik },
    });
    expect(alive.status).toBe(204);
  });

  test.each([
    ["A1\nA1\n", "row 2: A1 comes twice"],
    ["A1,b,c\n", "row 1: expected <serial>[,<text>]"],
    ['"A1\n', "is no CSV"],
    ["\n", "holds no serial"],
  ])("are refused as a whole where a row is wrong: %j", async (text, message) => {
    const run = await fleetCommand(emulator, ["add", product, "-"], { stdin: text });
    expect(run).toMatchObject({ status: 1, stderr: expect.stringContaining(message) });
    expect(await json("status", "--product", product)).toEqual([]);
  });

  test("new hardware takes over the dataports of the old", async () => {
    const { device } = await emulator.addActivated(product, "OLD");
    await device.write("engine_fetch", '{"restart":["meter"]}');
    const rid = await device.rid();
    expect(await json("swap", product, "OLD", "NEW")).toMatchObject({ sn: "NEW", rid });
    const fresh = emulator.device(product, "NEW");
    expect(await fresh.activate()).toHaveLength(40);
    expect(await fresh.latest("engine_fetch")).toBe('{"restart":["meter"]}');
  });
});

test("a wrong CIK and a server that is away have exit statuses of their own", async () => {
  const wrong = await fleetCommand({ url: emulator.url, cik: "0".repeat(40) }, ["status"]);
  expect(wrong).toMatchObject({ status: 6, stderr: expect.stringContaining("does not know this owner") });
  const away = await fleetCommand({ url: "http://127.0.0.1:1", cik: emulator.cik }, ["status"]);
  expect(away).toMatchObject({ status: 5, stderr: expect.stringContaining("cannot be reached") });
  const nobody = await fleetCommand({ url: emulator.url, cik: "" }, ["status"]);
  expect(nobody).toMatchObject({ status: 2, stderr: expect.stringContaining("GWE_OWNER_CIK") });
});
