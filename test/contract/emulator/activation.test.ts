import http from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Clock } from "../../../src/core/clock.ts";
import { systemClock } from "../../../src/platform/system-clock.ts";
import { startTestEmulator, type TestEmulator } from "../../support/emulator.ts";
import { DeviceSide } from "../../support/emulator-device-side.ts";

const dayMs = 24 * 3600 * 1000;
let aheadMs = 0;
const clock: Clock = { ...systemClock, now: () => Date.now() + aheadMs };

let emulator: TestEmulator;
beforeAll(async () => {
  emulator = await startTestEmulator({ clock });
});
afterAll(() => emulator.close());

async function activate(
  form: Record<string, string>,
  host?: string,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const body = new URLSearchParams(form).toString();
    const headers = {
      "Content-Type": "application/x-www-form-urlencoded",
      "Content-Length": body.length,
      ...(host && { Host: host }),
    };
    const request = http.request(
      `${emulator.url}/provision/activate`,
      { method: "POST", headers },
      (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

const triple = (product: string, sn: string) => ({ vendor: product, model: product, sn });
const read = (cik: string) => new DeviceSide(emulator.url, cik).get("/onep:v1/stack/alias?engine_fetch");

describe("the life of a serial", () => {
  test("unknown vendor, model or serial: 404", async () => {
    await emulator.addSerial("gw", "known");
    expect((await activate(triple("nowhere", "known"))).status).toBe(404);
    expect((await activate({ vendor: "other", model: "gw", sn: "known" })).status).toBe(404);
    expect((await activate(triple("gw", "unknown"))).status).toBe(404);
    expect((await activate({ vendor: "gw", model: "gw" })).status).toBe(400);
    expect((await activate({ sn: "known" })).status).toBe(400);
  });

  test("added but not enabled: 409; enabled: 200 with a CIK, once", async () => {
    const device = await emulator.addSerial("gw", "life", { enable: false });
    expect((await activate(triple("gw", "life"))).status).toBe(409);
    expect(await device.status()).toBe("");
    await device.enable();
    expect(await device.status()).toBe("notactivated");
    const { status, body: cik } = await activate(triple("gw", "life"));
    expect(status).toBe(200);
    expect(cik).toMatch(/^[0-9a-zA-Z]{40}$/);
    expect(await device.status()).toBe("activated");
    expect((await read(cik)).status).toBe(204);
    expect((await activate(triple("gw", "life"))).status).toBe(409);
    expect((await read(cik)).status).toBe(204);
  });

  test("enabled again: the old CIK is void, a new one comes, the data stays", async () => {
    const { device, cik } = await emulator.addActivated("gw", "again");
    await device.write("engine_fetch", "kept");
    await device.enable();
    expect((await read(cik)).status).toBe(401);
    const renewed = await device.activate();
    expect(renewed).not.toBe(cik);
    expect(await (await read(renewed)).text()).toBe("engine_fetch=kept");
  });

  test("the window closes after 24 hours", async () => {
    const device = await emulator.addSerial("gw", "late");
    aheadMs = dayMs;
    try {
      expect(await device.status()).toBe("expired");
      expect((await activate(triple("gw", "late"))).status).toBe(409);
      await device.enable();
      expect((await activate(triple("gw", "late"))).status).toBe(200);
    } finally {
      aheadMs = 0;
    }
  });

  test("disabled: the CIK is void and activation refused", async () => {
    const { device, cik } = await emulator.addActivated("gw", "off");
    await device.disable();
    expect((await read(cik)).status).toBe(401);
    expect((await activate(triple("gw", "off"))).status).toBe(409);
    await device.enable();
    expect((await activate(triple("gw", "off"))).status).toBe(200);
  });

  test("hardware swap: the client moves to another serial", async () => {
    const { device: old, cik } = await emulator.addActivated("gw", "old-box");
    await old.write("engine_fetch", "moves along");
    const rid = await old.rid();
    const box = await emulator.addSerial("gw", "new-box", { enable: false });
    const swap = { form: { enable: "true", oldsn: "old-box" }, accept: [205] };
    await emulator.owner("POST", "/provision/manage/model/gw/new-box", swap);
    expect((await read(cik)).status).toBe(401);
    expect(await old.status()).toBe("");
    expect(await box.rid()).toBe(rid);
    expect(await (await read(await box.activate())).text()).toBe("engine_fetch=moves%20along");
    const repeat = { ...swap, accept: [404] };
    await emulator.owner("POST", "/provision/manage/model/gw/new-box", repeat);
  });

  test("a swap onto a serial in use is refused", async () => {
    await emulator.addActivated("gw", "busy-1");
    await emulator.addActivated("gw", "busy-2");
    const form = { enable: "true", oldsn: "busy-1" };
    await emulator.owner("POST", "/provision/manage/model/gw/busy-2", { form, accept: [409] });
  });

  test("the activation log tells it all", async () => {
    const device = await emulator.addSerial("gw", "logged");
    await device.activate();
    await activate(triple("gw", "logged"));
    const response = await emulator.owner("GET", "/provision/manage/model/gw/logged?show=log");
    const rows = (await response.text()).trimEnd().split("\n");
    expect(rows.map((row) => row.split(",")[2])).toEqual([
      "enabled",
      "activated",
      "refused: already activated",
    ]);
    expect(rows[0]).toMatch(/^\d{10},127\.0\.0\.1,/);
  });

  test("a removed serial is gone with its CIK", async () => {
    const { cik } = await emulator.addActivated("gw", "gone");
    await emulator.owner("DELETE", "/provision/manage/model/gw/gone", { accept: [205] });
    expect((await read(cik)).status).toBe(401);
    expect((await activate(triple("gw", "gone"))).status).toBe(404);
  });
});

describe("several products", () => {
  test("the Host header names the product, in both domains", async () => {
    await emulator.addSerial("alpha", "1");
    await emulator.addSerial("beta", "1");
    const one = await activate({ id: "1" }, "alpha.m2.exosite.io");
    const two = await activate({ id: "1" }, "beta.m2.exosite.com:8080");
    expect([one.status, two.status]).toEqual([200, 200]);
    expect(one.body).not.toBe(two.body);
    expect((await activate(triple("alpha", "1"), "beta.m2.exosite.io")).status).toBe(404);
  });

  test("a CIK holds at its own product's host only", async () => {
    const { cik } = await emulator.addActivated("gamma", "1");
    const statusAt = (host: string) =>
      new Promise((resolve, reject) => {
        const url = `${emulator.url}/onep:v1/stack/alias?engine_fetch`;
        http
          .get(url, { headers: { Host: host, "X-Exosite-CIK": cik } }, (response) => {
            response.resume();
            resolve(response.statusCode);
          })
          .on("error", reject);
      });
    expect(await statusAt("gamma.m2.exosite.io")).toBe(204);
    expect(await statusAt("delta.m2.exosite.io")).toBe(401);
  });

  test("a registered vendor name goes with its owner's models", async () => {
    await emulator.owner("POST", "/provision/register", { form: { vendor: "acme" }, accept: [205] });
    await emulator.addSerial("epsilon", "1");
    expect((await activate({ vendor: "acme", model: "epsilon", sn: "1" })).status).toBe(200);
  });
});

describe("open activation", () => {
  test("what was never added activates on first try, then 409 as ever", async () => {
    await using open = await startTestEmulator({ openActivation: true });
    const device = open.device("demo", "AA:BB:CC:00:11:22");
    expect(await device.activate()).toMatch(/^[0-9a-zA-Z]{40}$/);
    await expect(device.activate()).rejects.toThrow("409");
    expect(await device.status()).toBe("activated");
    await device.disable();
    await expect(device.activate()).rejects.toThrow("409");
    await device.enable();
    expect(await device.activate()).toHaveLength(40);
  });

  test("a vendor that is not the model's is still unknown", async () => {
    await using open = await startTestEmulator({ openActivation: true });
    const body = new URLSearchParams({ vendor: "a", model: "b", sn: "1" });
    const response = await fetch(`${open.url}/provision/activate`, { method: "POST", body });
    expect(response.status).toBe(404);
  });
});

test("with strict aliases only a device's own aliases are written", async () => {
  await using strict = await startTestEmulator({ strictAliases: true });
  const { device, cik } = await strict.addActivated("gw", "1");
  const side = new DeviceSide(strict.url, cik);
  expect((await side.post("/onep:v1/stack/alias?other", "engine_report=1&other=2")).status).toBe(204);
  expect(await device.latest("engine_report")).toBe("1");
  const rid = await device.rpc("create", ["dataport", { name: "other", format: "string" }]);
  await device.rpc("map", ["alias", rid, "other"]);
  expect(await (await side.post("/onep:v1/stack/alias?other", "other=3")).text()).toBe("other=3");
});
