import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestEmulator, type TestEmulator } from "../support/emulator.ts";
import { repositoryRoot } from "../support/run-command.ts";
import { temporaryDirectory } from "../support/temp-directory.ts";

const run = promisify(execFile);
const product = "examples";
let murano: TestEmulator;
let count = 0;

beforeAll(async () => {
  murano = await startTestEmulator();
});
afterAll(() => murano.close());

/** Runs a program of docs/examples/device-client/ as its guide says; never rejects. */
async function example(name: string, ...args: string[]) {
  const file = join(repositoryRoot, "docs/examples/device-client", name);
  return run(process.execPath, [file, murano.url, ...args]).then(
    ({ stdout }) => ({ status: 0, stdout }),
    (error: { code: number; stdout: string }) => ({ status: error.code, stdout: error.stdout }),
  );
}

const activated = async (...aliases: string[]) => {
  const { device, cik } = await murano.addActivated(product, `example-${++count}`);
  for (const alias of aliases) {
    const rid = await device.rpc("create", ["dataport", { format: "string", name: alias }]);
    await device.rpc("map", ["alias", rid, alias]);
  }
  return { device, cik };
};

describe("the examples of docs/device-client.md", () => {
  it("thermostat.ts reports and follows the setpoint", async () => {
    const { device, cik } = await activated("temperature", "setpoint");
    await device.write("setpoint", "25");
    const { status, stdout } = await example("thermostat.ts", cik, "1");
    expect({ status, stdout }).toEqual({ status: 0, stdout: "temperature 18.5, setpoint 25\n" });
    expect(await device.latest("temperature")).toBe("18.5");
    await device.disable();
    expect((await example("thermostat.ts", cik, "1")).status).toBe(6);
  });

  it("upload-history.mjs uploads, and tells what was refused", async () => {
    const { device, cik } = await activated("level", "flow");
    const file = join(temporaryDirectory(), "history.csv");
    writeFileSync(file, "level,1000,1\nlevel,1010,a,b\nflow,1000,7\n");
    expect(await example("upload-history.mjs", cik, file)).toEqual({
      status: 0,
      stdout: "uploaded 3 points\n",
    });
    expect(await device.history("level")).toEqual([
      [1000, "1"],
      [1010, "a,b"],
    ]);
    writeFileSync(file, "level,2000,1\nlevel,2000,2\n");
    expect(await example("upload-history.mjs", cik, file)).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/^refused level at 2000/),
    });
  });

  it("fetch-content.ts downloads", async () => {
    const { cik } = await activated();
    const blob = randomBytes(200_000);
    await murano.addContent(product, "firmware.bin", blob);
    const file = join(temporaryDirectory(), "firmware.bin");
    const { status, stdout } = await example("fetch-content.ts", cik, product, "firmware.bin", file);
    expect(status).toBe(0);
    const wireBytes = Number(/^200000 bytes of content, (\d+) bytes on the wire\n$/.exec(stdout)?.[1]);
    expect(wireBytes).toBeGreaterThan(200_000);
    expect(wireBytes).toBeLessThan(205_000);
    expect(readFileSync(file).equals(blob)).toBe(true);
    expect((await example("fetch-content.ts", cik, product, "missing.bin", file)).status).toBe(1);
  });
});
