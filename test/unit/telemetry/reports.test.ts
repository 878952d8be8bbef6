import { describe, expect, it } from "vitest";
import type { AppStatus } from "../../../src/core/app-status.ts";
import { formatUptime } from "../../../src/core/uptime.ts";
import { formatDf, humanSize, parseMounts } from "../../../src/telemetry/device-info/filesystems.ts";
import { formatFree, parseMeminfo } from "../../../src/telemetry/device-info/memory.ts";
import { collectDeviceFacts, deviceInfo, engineReport, lastingFacts } from "../../../src/telemetry/index.ts";

const running: AppStatus = {
  name: "meter",
  version: "1.2.3",
  kind: "long-running",
  state: "RUNNING",
  sinceMs: 1_000,
  pid: 42,
  startedAtMs: 1_000,
  restarts: 2,
};

describe("engine_report", () => {
  it("is the list of one-key objects that dashboards parse, the engine and its queue included", () => {
    const text = engineReport({
      apps: [running, { ...running, name: "once", state: "EXITED", exitStatus: 3 }],
      engineVersion: "9.9",
      engineUptimeMs: 90_061_000,
      queueUptimeMs: 61_000,
      nowMs: 3_772_000,
    });
    expect(JSON.parse(text).apps.slice(0, 1)).toEqual([
      { meter: { status: "RUNNING", uptime: "1:02:51", exitstatus: 0, version: "1.2.3" } },
    ]);
    expect(JSON.parse(text).apps[1].once).toMatchObject({ status: "EXITED", exitstatus: 3 });
    expect(JSON.parse(text).apps[2]).toEqual({
      gwe: { status: "RUNNING", uptime: "1 day, 1:01:01", exitstatus: 0, version: "9.9" },
    });
    expect(JSON.parse(text).apps[3]).toEqual({
      gmq: { status: "RUNNING", uptime: "0:01:01", exitstatus: 0, version: "9.9" },
    });
  });

  it.each([
    [0, "0:00:00"],
    [-5, "0:00:00"],
    [86_399_999, "23:59:59"],
    [2 * 86_400_000, "2 days, 0:00:00"],
  ])("prints %i ms as %s", (ms, text) => expect(formatUptime(ms)).toBe(text));
});

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
    const facts = await collectDeviceFacts({ engineVersion: "1", bootId: "b", machineFacts: undefined });
    const report = JSON.parse(deviceInfo(facts));
    expect(report.uname).toMatch(/^Linux \S+ .* GNU\/Linux$/);
    expect(report.df).toMatch(/^Filesystem .*Mounted on\n(.*\n)*.* \/$/m);
    expect(report.free).toMatch(/^Mem: +\d+/m);
    expect(report.ipaddrs).toMatch(/^lo 127\.0\.0\.1\/8$/m);
  });

  it("does not take a fuller disk for a lasting change, but a new address", async () => {
    const facts = await collectDeviceFacts({ engineVersion: "1", bootId: "b", machineFacts: undefined });
    const [first, ...others] = facts.filesystems;
    if (first === undefined) throw new TypeError("a machine without file systems");
    const fuller = { ...facts, filesystems: [{ ...first, usedBytes: first.usedBytes + 1 }, ...others] };
    expect(lastingFacts(fuller)).toBe(lastingFacts(facts));
    const moved = { ...facts, addresses: [...facts.addresses, { iface: "ppp0", cidr: "10.1.2.3/32" }] };
    expect(lastingFacts(moved)).not.toBe(lastingFacts(facts));
  });
});
