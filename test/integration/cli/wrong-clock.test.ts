import { describe, expect, it, onTestFinished } from "vitest";
import type { Examination } from "../../../src/cli/doctor/doctor.ts";
import { readCik } from "../../../src/config/index.ts";
import { FakedClock } from "../../support/faked-clock.ts";
import { gweHome } from "../../support/gwe-home.ts";
import { muranoOverTls } from "../../support/murano-over-tls.ts";
import { runCommand } from "../../support/run-command.ts";

const product = "clocklesspid";

describe("on a gateway in 1970, with HTTPS and no time server", () => {
  it("gwe setup activates, and gwe doctor tells by how much the clock is off and that the engine bears it", async () => {
    const { murano, serverUrl, caFile } = await muranoOverTls();
    await murano.addSerial(product, "GW-1970");
    const home = gweHome();
    onTestFinished(() => home[Symbol.dispose]());
    const gwe = (...args: readonly string[]) =>
      runCommand("gwe", args, { home: home.home, env: new FakedClock(10_000).environment });

    const identity = ["--product-id", product, "--serial", "GW-1970"];
    const setup = await gwe("setup", ...identity, "--server-url", serverUrl, "--ca-file", caFile);
    expect(setup).toMatchObject({ status: 0, stderr: "" });
    expect(setup.stdout).toMatch(/^ok +murano +activated$/m);
    expect(readCik(home.paths.gatewayCfg)).toMatch(/^[0-9A-Za-z]{40}$/);

    const doctor = await gwe("doctor", "--json");
    const { findings } = JSON.parse(doctor.stdout) as Examination;
    const found = (area: string) => findings.filter((finding) => finding.area === area);
    expect(found("tls")).toEqual([expect.objectContaining({ level: "ok" })]);
    expect(found("clock")).toContainEqual({
      area: "clock",
      level: "warning",
      text: expect.stringMatching(/clock is \d\d years behind Murano's: the engine bears it/),
      remedy: expect.stringContaining("date -u -s"),
    });
    expect(found("clock").some(({ level }) => level === "fault")).toBe(false);
    expect(found("murano")[0]).toMatchObject({ level: "ok", text: "Murano knows this gateway" });
  });
});
