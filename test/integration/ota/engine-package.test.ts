import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { EngineUpdateHost, EngineUpdateOutcome } from "../../../src/ota/index.ts";
import { packageWith } from "../../support/ota-archives.ts";
import { OtaHarness } from "../../support/ota-harness.ts";

let harness: OtaHarness;
let outcome: PromiseWithResolvers<EngineUpdateOutcome>;
let refusal: string | undefined;

const host: EngineUpdateHost = {
  version: "1.0",
  arch: "x64",
  refusal: () => refusal,
  outcome: (signal) => {
    const aborted = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => aborted.reject(signal.reason), { once: true });
    return Promise.race([outcome.promise, aborted.promise]);
  },
};
const name = "GatewayEngine-update.v2.0-linux-x64.tar.gz";

beforeEach(() => {
  outcome = Promise.withResolvers();
  refusal = undefined;
  harness = new OtaHarness({ engineUpdate: host });
  harness.content.files.set(name, packageWith("#!/bin/sh\necho placed\n"));
});
afterEach(() => harness.dispose());

const command = JSON.stringify({ id: "up", install: [{ name }] });

describe("a package of the engine itself", () => {
  it("is installed when the new version has proved itself, and no app", async () => {
    harness.ota.start();
    outcome.resolve({ kind: "proved" });
    await harness.send(JSON.parse(command));
    expect(harness.reports()[0]?.apps).toMatchObject([
      { name: "GatewayEngine-update", version: "2.0", status: "installed", output: "placed\n" },
    ]);
    expect(harness.host.deployed).toEqual([]);
    // What it was placed from is not kept: the version lies where install.sh put it.
    expect(harness.versionsOf("GatewayEngine-update")).toEqual([]);
  });

  it("is rolled back, with the reason, when the former version is put back", async () => {
    harness.ota.start();
    outcome.resolve({ kind: "went-back", reason: "2.0 was started 3 times" });
    await harness.send(JSON.parse(command));
    expect(harness.reports()[0]?.apps).toMatchObject([
      { status: "rolled-back", output: "placed\ngwe: 2.0 was started 3 times\n" },
    ]);
  });

  it("waits over restarts of the engine for what becomes of it, its installer not run again", async () => {
    harness.ota.start();
    harness.ota.accept({ text: command });
    harness.ota.acknowledgeEmpty();
    await expect.poll(() => harness.ota.jobs()[0]?.state).toBe("activating");
    await harness.ota.stop();
    harness.db.close();
    // Without the package: the installer could not be run again.
    const next = new OtaHarness({ engineUpdate: host }, harness.home);
    onTestFinished(() => next.dispose());
    next.ota.start();
    expect(next.ota.jobs()).toMatchObject([{ state: "activating" }]);
    outcome.resolve({ kind: "proved" });
    await next.ota.idle();
    expect(next.reports()[0]?.apps).toMatchObject([{ status: "installed", output: "placed\n" }]);
  });

  it.each([
    [
      "for another machine",
      "GatewayEngine-update.v2.0-linux-arm64.tar.gz",
      undefined,
      /is for arm64, and this gateway is x64/,
    ],
    ["an engine that cannot be replaced", name, "placed by hand", /placed by hand/],
  ])("%s is refused before it is downloaded", async (_, id, why, message) => {
    refusal = why;
    harness.ota.start();
    await harness.send({ install: [{ name: id }] });
    expect(harness.reports()[0]?.apps).toMatchObject([
      { status: "failed", output: expect.stringMatching(message) },
    ]);
  });
});
