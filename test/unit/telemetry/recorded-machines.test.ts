import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { collectDeviceFacts, deviceInfo, lastingFacts } from "../../../src/telemetry/index.ts";
import { recordedMachine } from "../../support/recorded-machine.ts";

const machines = join(import.meta.dirname, "../../support/machines");

async function factsOf(name: string) {
  const { files, calls } = recordedMachine(name);
  const facts = await collectDeviceFacts(files, calls, {
    engineVersion: "1.2.3",
    bootId: "3f0d7c0e-6f0c-4d5d-9a5e-1a2b3c4d5e6f",
    machineFacts: undefined,
    time: { synchronised: null, source: null, trustedBy: null, wallErrorMs: null },
    nowMs: 1_790_000_000_000,
  });
  return { ...facts, nodeVersion: "24.0.0" };
}

describe.each(["x86-server", "raspberry-pi", "busybox-router", "container", "thirty-interfaces"])(
  "device_info of %s",
  (name) => {
    it("is the report beside the recording", async () => {
      const { uname, df, free, ipaddrs, ...facts } = JSON.parse(deviceInfo(await factsOf(name)));
      const text = [uname, "", df, "", free, "", ipaddrs, "", JSON.stringify(facts, undefined, 1), ""].join(
        "\n",
      );
      await expect(text).toMatchFileSnapshot(join(machines, `${name}.report.txt`));
    });

    it("fits a dataport, and two looks at an unchanged machine have the same lasting facts", async () => {
      const facts = await factsOf(name);
      expect(Buffer.byteLength(deviceInfo(facts))).toBeLessThan(64 * 1024);
      const later = { ...facts, uptimeS: facts.uptimeS + 60, bootTime: facts.bootTime + 1 };
      expect(lastingFacts(later)).toBe(lastingFacts(facts));
    });
  },
);

describe("the facts of particular machines", () => {
  it("tells a worn eMMC, a modem without a MAC, and the route that is used", async () => {
    const facts = await factsOf("raspberry-pi");
    expect(facts.storage).toEqual([
      { name: "mmcblk0", model: "GB1QT", sizeBytes: 15_931_539_456, wornPercent: 20, reserve: "normal" },
      { name: "sda", model: "Ultra Fit", sizeBytes: 8_004_304_896, wornPercent: null, reserve: null },
    ]);
    expect(facts.interfaces.find(({ name }) => name === "wwan0")).toEqual({
      name: "wwan0",
      mac: null,
      state: "unknown",
      speedMbit: null,
      mtu: 1428,
      addresses: ["10.64.12.9/30"],
    });
    expect(facts.defaultRoutes).toEqual([
      { interface: "eth0", gateway: "192.168.1.1", metric: 202 },
      { interface: "wwan0", gateway: null, metric: 700 },
      { interface: "eth0", gateway: "fe80::200:ff:fe00:1", metric: 1024 },
    ]);
    expect(facts.temperatures).toEqual([{ sensor: "cpu-thermal", celsius: 48.3 }]);
    expect(facts.cpu).toMatchObject({ model: "Raspberry Pi 4 Model B Rev 1.5", cores: 4 });
    expect(facts.filesystems.find(({ mountPoint }) => mountPoint === "/media/usb stick")?.readOnly).toBe(
      true,
    );
  });

  it("reads addresses on a big-endian machine", async () => {
    const facts = await factsOf("busybox-router");
    expect(facts.defaultRoutes).toEqual([{ interface: "ppp0", gateway: "10.64.64.64", metric: 0 }]);
    expect(facts.interfaces.find(({ name }) => name === "eth1")?.speedMbit).toBeNull();
  });
});
