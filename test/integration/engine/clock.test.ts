import { request } from "node:http";
import { uptime } from "node:os";
import { describe, expect, onTestFinished, test } from "vitest";
import type { EmulatedDevice } from "../../support/emulated-device.ts";
import type { TestEmulator } from "../../support/emulator.ts";
import { EngineProcess, eventually } from "../../support/engine-process.ts";
import { FakedClock } from "../../support/faked-clock.ts";
import { muranoOverTls } from "../../support/murano-over-tls.ts";
import { runCommand } from "../../support/run-command.ts";

const product = "clock-product";
const serial = "GW-1970";
const hourMs = 3_600_000;
/** How late a busy machine may be with what it notes; the clocks are hours off. */
const latestS = 60;

/** A gateway without a battery: its clock says 1970, nobody synchronises it, and Murano speaks HTTPS alone. */
async function gatewayIn1970(): Promise<{
  readonly clock: FakedClock;
  readonly murano: TestEmulator;
  readonly device: EmulatedDevice;
  readonly engine: EngineProcess;
}> {
  const clock = new FakedClock(10_000);
  const { murano, serverUrl, caFile } = await muranoOverTls();
  const device = await murano.addSerial(product, serial);
  const engine = new EngineProcess({
    serverUrl,
    product,
    serial,
    engineConfig: ["debug_level = DEBUG", "update_interval = 86400"],
    deviceConfig: [`ca_file = ${caFile}`],
    environment: clock.environment,
  });
  onTestFinished(() => engine[Symbol.asyncDispose]());
  return { clock, murano, device, engine };
}

/** Hands the queue a value, as an app does. Resolves to the status. */
function post({ paths }: EngineProcess, path: string, body: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { "X-Exosite-VMS": `${product} ${product} ${serial}`, Host: "localhost" };
    const call = request({ socketPath: paths.queueSocket, method: "POST", path, headers }, (response) =>
      response.resume().once("end", () => resolve(response.statusCode)),
    );
    call.once("error", reject).end(body);
  });
}

describe("a gateway that boots in 1970, with HTTPS and no NTP", () => {
  test("activates, checks in, and sends all at its true time and in order, however its clock is set", async () => {
    const { clock, murano, device, engine } = await gatewayIn1970();
    const written: { readonly value: string; readonly atS: number }[] = [];
    const write = async (value: string): Promise<void> => {
      written.push({ value, atS: Date.now() / 1000 });
      expect(await post(engine, "/onep:v1/stack/alias", `temperature=${value}`)).toBe(204);
    };
    const arrived = (value: string) =>
      eventually(`${value} at Murano`, async () => (await device.latest("temperature")) === value);
    const gwe = async (...args: readonly string[]): Promise<string> =>
      (await runCommand("gwe", args, { home: engine.home, env: clock.environment })).stdout;

    await murano.goOffline();
    engine.start();
    await eventually("the queue", () => post(engine, "/onep:v1/stack/alias", "up=1").catch(() => undefined));
    await write("in 1970");
    // By an app that takes the time from the system, and by one that brings data of another day.
    const dated = Math.floor(clock.now() / 1000);
    const datedAtS = Date.now() / 1000;
    expect(await post(engine, "/onep:v1/stack/alias/humidity", `${dated}=40`)).toBe(204);
    expect(await post(engine, "/onep:v1/stack/alias/imported", "1234567890=7")).toBe(204);
    expect(await gwe("status")).toMatch(/Clock +not trusted/);

    await murano.goOnline();
    await device.waitForValue("engine_report");
    await arrived("in 1970");
    expect(await gwe("status")).toMatch(/Clock +the system's is .* behind \(Murano\)/);

    clock.set(Date.now());
    await write("synchronised");
    await arrived("synchronised");
    expect(await gwe("status")).toMatch(/Clock +right, says Murano/);
    clock.set(Date.now() - 2 * hourMs);
    await write("two hours back");
    await arrived("two hours back");
    clock.set(Date.now() + 3 * hourMs);
    await write("three hours ahead");
    await arrived("three hours ahead");
    await runCommand("gmq", ["drain"], { home: engine.home, env: clock.environment });

    const points = await device.history("temperature");
    expect(points.map(([, value]) => value)).toEqual(written.map(({ value }) => value));
    for (const [index, [timestamp]] of points.entries()) {
      expect(Math.abs(timestamp - (written[index]?.atS ?? 0))).toBeLessThan(latestS);
    }
    const [humidity] = await device.history("humidity");
    expect(Math.abs((humidity?.[0] ?? 0) - datedAtS)).toBeLessThan(latestS);
    expect(await device.history("imported")).toEqual([[1_234_567_890, "7"]]);
    const deviceInfo = JSON.parse(await device.waitForValue("device_info")) as { boot_time: number };
    expect(Math.abs(deviceInfo.boot_time - (Date.now() / 1000 - uptime()))).toBeLessThan(latestS);
  });
});
