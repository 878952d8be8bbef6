import { createHash, randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestEmulator, type TestEmulator } from "../../support/emulator.ts";
import { type GweHome, gweHome } from "../../support/gwe-home.ts";
import { type CommandOptions, runCommand } from "../../support/run-command.ts";
import { temporaryDirectory } from "../../support/temp-directory.ts";

const product = "gdcproduct";
let murano: TestEmulator;
let home: GweHome;
let count = 0;

beforeAll(async () => {
  murano = await startTestEmulator();
  home = gweHome();
  home.gatewayCfg(`[device]\nvendor = ${product}\nmodel = ${product}\nserver_url = ${murano.url}\n`);
});
afterAll(async () => {
  home[Symbol.dispose]();
  await murano.close();
});

const activated = () => murano.addActivated(product, `gdc-${++count}`);
const gdc = (args: readonly string[], options: CommandOptions = {}) =>
  runCommand("gdc", args, { home: home.home, ...options });

describe("gdc", () => {
  it("writes a value from stdin and from a file, byte for byte", async () => {
    const { device, cik } = await activated();
    const awkward = "a=b&c%\nü +\n";
    expect(await gdc(["write", cik, "fetch_status", "-"], { input: awkward })).toMatchObject({ status: 0 });
    expect(await device.latest("fetch_status")).toBe(awkward);
    const file = join(temporaryDirectory(), "value");
    writeFileSync(file, "from a file\n");
    const result = await gdc(["--json", "write", cik, "device_info", `@${file}`]);
    expect(JSON.parse(result.stdout)).toEqual({ timestamp: expect.any(Number) });
    expect(await device.latest("device_info")).toBe("from a file\n");
    writeFileSync(file, Buffer.from([0xff, 0xfe]));
    const binary = await gdc(["write", cik, "device_info", `@${file}`]);
    expect(binary).toMatchObject({ status: 1, stderr: expect.stringContaining("not UTF-8") });
    const missing = await gdc(["write", cik, "device_info", "@/nowhere"]);
    expect(missing).toMatchObject({ status: 1, stderr: expect.stringContaining("ENOENT") });
  });

  it("reads as JSON, with null for what has no value", async () => {
    const { device, cik } = await activated();
    await device.write("engine_fetch", '{"x":1}');
    const { stdout } = await gdc(["read", "--json", cik, "engine_fetch", "usage_report"]);
    expect(JSON.parse(stdout)).toEqual({ engine_fetch: '{"x":1}', usage_report: null });
  });

  it("records points of the command line and of stdin", async () => {
    const { device, cik } = await activated();
    expect((await gdc(["record", cik, "usage_report", "1000=a=1", "2000=-5"])).status).toBe(0);
    const many = Array.from({ length: 1_200 }, (_, index) => `${10_000 + index}=${index}`).join("\n");
    expect((await gdc(["record", cik, "usage_report", "-"], { input: `${many}\n` })).status).toBe(0);
    const points = await device.history("usage_report");
    expect(points.slice(0, 2)).toEqual([
      [1000, "a=1"],
      [2000, "-5"],
    ]);
    expect(points).toHaveLength(1_202);
    const wrong = await gdc(["record", cik, "usage_report", "-"], { input: "1000=x\nyesterday=y\n" });
    expect(wrong).toMatchObject({ status: 2, stderr: expect.stringMatching(/line 2: 'yesterday=y'/) });
  });

  it("polls: the value that is new, or status 7", async () => {
    const { device, cik } = await activated();
    await device.write("engine_fetch", "new");
    const found = await gdc(["poll", cik, "engine_fetch", "--since", "1", "--json"]);
    const { since, ...rest } = JSON.parse(found.stdout);
    expect(rest).toEqual({ changed: true, value: "new" });
    const again = await gdc(["poll", cik, "engine_fetch", "--since", String(since), "--timeout", "0.05"]);
    expect(again).toMatchObject({ status: 7, stdout: "", stderr: "" });
    const wrong = await gdc(["poll", cik, "engine_fetch", "--timeout", "301"]);
    expect(wrong).toMatchObject({ status: 2, stderr: expect.stringContaining("from 0 to 300") });
  });

  it("activates a serial, once, and says who can open it again", async () => {
    await murano.addSerial(product, "to-activate");
    const first = await gdc(["activate", "to-activate"]);
    expect(first).toMatchObject({ status: 0, stdout: expect.stringMatching(/^[0-9a-zA-Z]{40}\n$/) });
    const second = await gdc(["activate", product, product, "to-activate"]);
    expect(second).toMatchObject({
      status: 8,
      stderr: expect.stringMatching(/owner has to open activation/),
    });
    const unknown = await gdc(["activate", "nobody"]);
    expect(unknown).toMatchObject({ status: 1, stderr: expect.stringMatching(/owner has to add it/) });
  });

  it("tells the server's time and calls procedures by RPC", async () => {
    const { device, cik } = await activated();
    const { stdout } = await gdc(["timestamp"]);
    expect(Math.abs(Number(stdout) - Date.now() / 1000)).toBeLessThan(60);
    await device.write("engine_fetch", "v");
    const read = await gdc(["rpc", cik, "read", '{"alias":"engine_fetch"}', '{"limit":1}']);
    expect(JSON.parse(read.stdout)).toEqual([[expect.any(Number), "v"]]);
    const text = await gdc(["rpc", cik, "read", "engine_fetch"]);
    expect(text).toMatchObject({ status: 2, stderr: expect.stringContaining("is not JSON") });
    const invalid = await gdc(["rpc", cik, "nonsense"]);
    expect(invalid).toMatchObject({ status: 1, stdout: "", stderr: expect.stringContaining("to nonsense") });
  });

  it("says what to do about a refused CIK and a missing server, and never shows the CIK", async () => {
    const refused = await gdc(["write", "0".repeat(40), "fetch_status", "x"]);
    expect(refused).toMatchObject({ status: 6, stderr: expect.stringContaining("gdc activate") });
    const gone = await gdc(["--url", "http://127.0.0.1:1", "write", "0".repeat(40), "fetch_status", "x"]);
    expect(gone).toMatchObject({ status: 5, stderr: expect.stringContaining("check the network") });
    expect(refused.stderr + gone.stderr).not.toContain("0".repeat(40));
  });

  it("prints the build: the version and, in a checkout, its commit", async () => {
    expect((await gdc(["-b"])).stdout).toMatch(/^\d+\.\d+\.\d+(_[0-9a-f]{7,})?\n$/);
  });
});

describe("gdc content", () => {
  const blob = randomBytes(3_000_000);
  const sha256 = createHash("sha256").update(blob).digest("hex");

  async function withContent(id: string, meta = "") {
    const { cik } = await activated();
    await murano.addContent(product, id, blob, { meta });
    return cik;
  }

  it("lists, describes and downloads", async () => {
    const cik = await withContent("app.v1.tar.gz", `sha256=${sha256}`);
    expect((await gdc(["content", cik, "list"])).stdout.split("\n")).toContain("app.v1.tar.gz");
    const info = await gdc(["content", "--json", cik, "info", "app.v1.tar.gz"]);
    expect(JSON.parse(info.stdout)).toMatchObject({ sizeBytes: blob.length, meta: `sha256=${sha256}` });
    const directory = temporaryDirectory();
    const result = await gdc(["content", cik, "download", "app.v1.tar.gz"], { cwd: directory });
    expect(result).toMatchObject({ status: 0, stdout: `${join(directory, "app.v1.tar.gz")}\n` });
    expect(readFileSync(join(directory, "app.v1.tar.gz")).equals(blob)).toBe(true);
    expect(readdirSync(directory)).toEqual(["app.v1.tar.gz"]);
    const missing = await gdc(["content", cik, "info", "none.v1.tar.gz"]);
    expect(missing).toMatchObject({ status: 1, stderr: expect.stringContaining("gdc content <cik> list") });
  });

  it("goes on where a broken download ended, and starts anew when the content was replaced", async () => {
    const cik = await withContent("big.v1.tar.gz");
    const directory = temporaryDirectory();
    const file = join(directory, "out");
    const fault = murano.addFault({ match: { procedure: "download" }, cutAfterBytes: 1_000_000 });
    const cut = await gdc(["content", cik, "download", "big.v1.tar.gz", file]);
    expect(cut.status).toBe(5);
    expect(existsSync(file)).toBe(false);
    murano.removeFault(fault);
    const whole = await gdc(["content", cik, "download", "big.v1.tar.gz", file]);
    expect(whole).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/goes on at byte \d+ of 3000000/),
    });
    expect(readFileSync(file).equals(blob)).toBe(true);

    writeFileSync(join(directory, ".out.1-3000000.partial"), "of another time");
    expect((await gdc(["content", cik, "download", "big.v1.tar.gz", file])).stderr).not.toContain("goes on");
    expect(readdirSync(directory)).toEqual(["out"]);
  });

  it("refuses what is not what its meta says", async () => {
    const cik = await withContent("bad.v1.tar.gz", `sha256=${"0".repeat(64)}`);
    const directory = temporaryDirectory();
    const result = await gdc(["content", cik, "download", "bad.v1.tar.gz"], { cwd: directory });
    expect(result).toMatchObject({ status: 1, stderr: expect.stringContaining("is damaged") });
    expect(readdirSync(directory)).toEqual([]);
  });
});
