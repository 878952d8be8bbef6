import { describe, expect, it } from "vitest";
import { judgeEngineClock, judgeOffset } from "../../../../src/cli/doctor/check-clock.ts";
import { judgeSpace } from "../../../../src/cli/doctor/check-disk.ts";
import { judgeApp, judgeStatus } from "../../../../src/cli/doctor/check-engine.ts";
import { factsIn, judgeUnit } from "../../../../src/cli/doctor/check-systemd.ts";
import { explainFailure } from "../../../../src/cli/doctor/explain-failure.ts";
import { listenersIn } from "../../../../src/cli/doctor/listeners.ts";
import type { AppStatus } from "../../../../src/core/app-status.ts";
import {
  MalformedAnswerError,
  NetworkError,
  ServerError,
  TimeoutError,
} from "../../../../src/device-client/index.ts";
import { engineStatus } from "../../../support/control-server.ts";

describe("a failed exchange", () => {
  const broken = (code: string) =>
    new NetworkError(`timestamp: ${code}`, { procedure: "timestamp", context: { code } });

  it.each([
    ["ENOTFOUND", "dns", /resolv\.conf/],
    ["EAI_AGAIN", "dns", /resolv\.conf/],
    ["ECONNREFUSED", "network", /firewall/],
    ["CERT_NOT_YET_VALID", "tls", /set the clock/],
    ["SELF_SIGNED_CERT_IN_CHAIN", "tls", /ca_file/],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "tls", /ca_file/],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "tls", /server_url/],
    ["EPROTO", "tls", /http or https/],
    ["PROXY_REFUSED", "network", /HTTPS_PROXY/],
  ])("by %s is a fault of %s", (code, area, remedy) => {
    const found = explainFailure(broken(code), "murano.example:443");
    expect(found).toMatchObject({ area, level: "fault" });
    expect(found.text).toContain("murano.example:443");
    expect(found.remedy).toMatch(remedy);
  });

  it("tells a portal, silence, and Murano's own trouble apart", () => {
    const details = { procedure: "timestamp" };
    expect(explainFailure(new MalformedAnswerError("html", details), "m").remedy).toMatch(/portal/);
    expect(explainFailure(new TimeoutError("late", { ...details, phase: "connect" }), "m").text).toMatch(
      /does not answer/,
    );
    expect(explainFailure(new ServerError("503", details), "m")).toMatchObject({
      area: "murano",
      level: "warning",
    });
  });
});

describe("figures", () => {
  it.each([
    [0, "ok"],
    [-4_000, "ok"],
    [20_000, "warning"],
    [-20_000, "warning"],
  ])("a clock %i ms ahead: %s", (ms, level) => {
    expect(judgeOffset(ms).level).toBe(level);
  });

  it("a clock in 1970 is told with what it is off by, and that the engine bears it", () => {
    const { level, text } = judgeOffset(-56 * 365.25 * 86_400_000);
    expect(level).toBe("warning");
    expect(text).toMatch(/^this gateway's clock is 56 years behind Murano's: the engine bears it/);
  });

  it.each([
    [{ trustedBy: null, wallErrorMs: null }, "warning", /does not know the true time yet/],
    [{ trustedBy: "murano", wallErrorMs: 400 }, "ok", /knows the true time \(murano\)$/],
    [{ trustedBy: "kept", wallErrorMs: 3 * 3_600_000 }, "ok", /clock is 3 hours ahead of it$/],
  ] as const)("the engine's own clock, %o: %s", (clock, level, text) => {
    const found = judgeEngineClock({ nowMs: 0, ...clock });
    expect(found).toMatchObject({ area: "clock", level, text: expect.stringMatching(text) });
  });

  it.each([
    [500, 8000, "ok"],
    [80, 8000, "warning"],
    [10, 8000, "fault"],
    // A small /run is no trouble.
    [20, 24, "ok"],
  ])("%i of %i MiB free: %s", (freeMib, sizeMib, level) => {
    expect(judgeSpace("/x", { freeMib, sizeMib, reserveMib: 32 }).level).toBe(level);
  });
});

describe("the engine's account of itself", () => {
  const nowMs = 1_790_000_000_000;
  const levels = (change: Partial<ReturnType<typeof engineStatus>>) =>
    judgeStatus({ ...engineStatus({ nowMs }), ...change }).map(({ level }) => level);

  it("is well after a check-in, and not when that is long ago or never was", () => {
    const { checkIn, device } = engineStatus({ nowMs });
    expect(levels({ checkIn: { ...checkIn, lastError: null } })).toEqual(["ok", "ok"]);
    expect(levels({})).toEqual(["ok", "warning"]);
    expect(levels({ checkIn: { ...checkIn, lastSuccessAtMs: nowMs - 60_000_000 } })).toEqual(["ok", "fault"]);
    expect(levels({ checkIn: { ...checkIn, lastSuccessAtMs: null } })).toEqual(["ok", "fault"]);
    expect(levels({ device: { ...device, activated: false } })).toEqual(["ok", "fault"]);
  });

  it("shows an update that waits for a restart", () => {
    const { engine } = engineStatus({ nowMs });
    expect(levels({ engine: { ...engine, version: "0.0.1" } })[0]).toBe("warning");
  });

  it("shows applications that do not run as they should", () => {
    const app: AppStatus = {
      name: "meter",
      version: "1",
      kind: "long-running",
      state: "RUNNING",
      sinceMs: 0,
      restarts: 0,
    };
    expect(judgeApp(app)).toMatchObject([{ level: "ok" }]);
    expect(judgeApp({ ...app, state: "FATAL", exitStatus: 3 })).toMatchObject([
      { level: "fault", text: "meter is FATAL (exit status 3)" },
    ]);
    expect(judgeApp({ ...app, restarts: 11 })).toMatchObject([{ level: "warning" }]);
    expect(judgeApp({ ...app, state: "STOPPED" })).toMatchObject([{ level: "note" }]);
  });
});

describe("systemd's account of a unit", () => {
  const facts = factsIn(
    "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nNeedDaemonReload=no\nNRestarts=0\nResult=success\n",
  );
  const unit = "gateway-engine.service";

  it("is taken apart at the first equals sign", () => {
    expect(factsIn("A=b=c\nD=\n")).toEqual({ A: "b=c", D: "" });
  });

  it.each([
    [{}, ["ok"]],
    [{ LoadState: "not-found" }, ["fault"]],
    [{ UnitFileState: "disabled" }, ["warning", "ok"]],
    [{ ActiveState: "failed", Result: "exit-code" }, ["fault"]],
    [{ Result: "watchdog", NRestarts: "9" }, ["ok", "warning", "warning"]],
    [{ NeedDaemonReload: "yes" }, ["warning", "ok"]],
  ])("%j: %j", (change, levels) => {
    expect(judgeUnit(unit, { ...facts, ...change }).map(({ level }) => level)).toEqual(levels);
  });
});

it("listening sockets are told from connections", () => {
  const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F9A 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0000000000000000 100 0 0 10 0
   1: 0100007F:1F9A 0100007F:C3D2 01 00000000:00000000 00:00000000 00000000     0        0 12346 1 0000000000000000 20 4 30 10 -1
`;
  expect(listenersIn(text)).toEqual([{ port: 8090, inode: "12345" }]);
});
