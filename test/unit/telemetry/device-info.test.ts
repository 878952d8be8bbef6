import { describe, expect, it } from "vitest";
import { formatDf, humanSize, parseMounts } from "../../../src/telemetry/device-info/filesystems.ts";
import { formatFree, parseMeminfo } from "../../../src/telemetry/device-info/memory.ts";
import {
  collectDeviceFacts,
  deviceInfo,
  lastingFacts,
  machineFiles,
  systemCalls,
} from "../../../src/telemetry/index.ts";

const options = {
  engineVersion: "1",
  bootId: "b",
  machineFacts: undefined,
  time: { synchronised: true, source: "systemd-timesyncd", trustedBy: "system", wallErrorMs: 3 },
  nowMs: 1_700_000_000_000,
};

describe("device_info", () => {
  it("lists each device once, spaces in mount points included, and no pseudo file system", () => {
    const mounts = parseMounts(
      "proc /proc proc rw 0 0\n/dev/sda1 / ext4 rw 0 0\n/dev/sda1 /var/lib ext4 rw 0 0\n" +
        "/dev/sdb1 /mnt/usb\\040stick vfat rw 0 0\nserver:/x /nfs nfs4 rw 0 0\ntmpfs /run tmpfs rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n",
    );
    expect(mounts.map(({ mountPoint }) => mountPoint)).toEqual(["/", "/mnt/usb stick", "/run", "/tmp"]);
  });

  it.each([
    [0, "0"],
    [1023, "1023"],
    [1024, "1.0K"],
    [10 * 1024 ** 2, "10M"],
    [252 * 1024 ** 3 - 1, "252G"],
  ])("prints %i bytes as %s, as df -h does", (bytes, text) => expect(humanSize(bytes)).toBe(text));

  it("aligns df's table as df does", () => {
    const table = formatDf([
      {
        source: "/dev/vda",
        mountPoint: "/",
        type: "ext4",
        readOnly: false,
        inodes: 100,
        usedInodes: 1,
        totalBytes: 100 * 1024 ** 3,
        usedBytes: 50 * 1024 ** 3,
        availableBytes: 50 * 1024 ** 3,
      },
    ]);
    expect(table).toBe("Filesystem Size Used Avail Use% Mounted on\n/dev/vda   100G  50G   50G  50% /");
  });

  it("reads a kernel's meminfo, an old one's without MemAvailable too", () => {
    const old = parseMeminfo("MemTotal: 2048 kB\nMemFree: 512 kB\nBuffers: 0 kB\nCached: 256 kB\n");
    expect(old).toMatchObject({ totalBytes: 2_097_152, availableBytes: 768 * 1024 });
    expect(formatFree({ ...old, totalBytes: 1024 ** 3 }).split("\n")[1]).toMatch(
      /^Mem: +1024 +1023 +0 +0 +0 +0$/,
    );
  });

  it("tells this machine's facts under the four fixed keys", async () => {
    const facts = await collectDeviceFacts(machineFiles, systemCalls(), options);
    const report = JSON.parse(deviceInfo(facts));
    expect(report.uname).toMatch(/^Linux \S+ .* GNU\/Linux$/);
    expect(report.df).toMatch(/^Filesystem .*Mounted on\n(.*\n)*.* \/$/m);
    expect(report.free).toMatch(/^Mem: +\d+/m);
    expect(report.ipaddrs).toMatch(/^lo 127\.0\.0\.1\/8$/m);
  });

  it("does not take a fuller disk for a lasting change, but a new address", async () => {
    const facts = await collectDeviceFacts(machineFiles, systemCalls(), options);
    const [first, ...others] = facts.filesystems;
    if (first === undefined) throw new TypeError("a machine without file systems");
    const fuller = { ...facts, filesystems: [{ ...first, usedBytes: first.usedBytes + 1 }, ...others] };
    expect(lastingFacts(fuller)).toBe(lastingFacts(facts));
    const modem = {
      name: "ppp0",
      mac: null,
      state: "unknown",
      speedMbit: null,
      mtu: 1400,
      addresses: ["10.1.2.3/32"],
    };
    const moved = { ...facts, interfaces: [...facts.interfaces, modem] };
    expect(lastingFacts(moved)).not.toBe(lastingFacts(facts));
  });
});
