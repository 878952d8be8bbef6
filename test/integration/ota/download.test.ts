import { createCipheriv, createHash } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Clock } from "../../../src/core/clock.ts";
import { otaPlatform } from "../../../src/daemon/platform-ports.ts";
import {
  MalformedAnswerError,
  NetworkError,
  RateLimitedError,
  RejectedError,
  ServerError,
  TimeoutError,
  UnauthorizedError,
} from "../../../src/device-client/index.ts";
import { systemClock } from "../../../src/platform/system-clock.ts";
import { goodPackage, packageWith } from "../../support/ota-archives.ts";
import { OtaHarness } from "../../support/ota-harness.ts";

let harness: OtaHarness;

function begin(overrides: ConstructorParameters<typeof OtaHarness>[0] = {}): void {
  harness = new OtaHarness(overrides);
  harness.ota.start();
}

afterEach(() => harness.dispose());

const file = "meter.v1.tar.gz";
const network = new NetworkError("connection reset", { procedure: "download", requestSent: true });

describe("trouble that passes", () => {
  it("of every kind is waited out", async () => {
    begin();
    harness.content.troubles.push(
      { at: "info", error: network },
      { at: "info", error: new ServerError("oops", { procedure: "contentInfo", status: 500 }) },
      {
        at: "download",
        error: new TimeoutError("late", { procedure: "download", phase: "idle", requestSent: true }),
      },
      { at: "info", error: new UnauthorizedError("CIK", { procedure: "contentInfo", status: 401 }) },
      { at: "info", error: new MalformedAnswerError("HTML", { procedure: "contentInfo", status: 200 }) },
      { at: "body", afterBytes: 10, error: network },
      { at: "length", sendBytes: 20 },
      { at: "length", sendBytes: 100_000 },
    );
    const report = await harness.install({ [file]: goodPackage });
    expect(report.apps[0]?.status).toBe("installed");
    expect(harness.content.troubles).toEqual([]);
  });

  it("is waited out as long as Murano asks for", async () => {
    const slept: number[] = [];
    const clock: Clock = {
      ...systemClock,
      sleep: (ms, signal) => {
        slept.push(ms);
        return systemClock.sleep(Math.min(ms, 1_000), signal);
      },
    };
    begin({ clock });
    const details = { procedure: "contentInfo", status: 429, retryAfterMs: 990 } as const;
    harness.content.troubles.push({ at: "info", error: new RateLimitedError("slow down", details) });
    const report = await harness.install({ [file]: goodPackage });
    expect(report.apps[0]?.status).toBe("installed");
    expect(slept).toContain(990);
  });

  it("but does not pass fails the download at its deadline", async () => {
    begin({ limits: { downloadDeadlineMs: 40 } });
    for (let i = 0; i < 500; i++) harness.content.troubles.push({ at: "info", error: network });
    const report = await harness.install({ [file]: goodPackage });
    expect(report.apps[0]).toMatchObject({
      status: "failed",
      output: expect.stringContaining("the last trouble: connection reset"),
    });
  });
});

describe("trouble that does not pass", () => {
  it.each([
    [403, /does not let this gateway have the content "meter.v1.tar.gz" \(403\)/],
    [404, /has no content "meter.v1.tar.gz" for this product \(404\)/],
    [400, /refused the content "meter.v1.tar.gz"/],
  ])("is reported at once: status %i", async (status, message) => {
    begin();
    harness.content.troubles.push({
      at: "download",
      error: new RejectedError("no", { procedure: "download", status }),
    });
    const report = await harness.install({ [file]: goodPackage });
    expect(report.apps[0]).toMatchObject({ status: "failed", output: expect.stringMatching(message) });
    expect(harness.content.requests).toHaveLength(2);
  });

  it("is a content whose size is always wrong", async () => {
    begin();
    for (let i = 0; i < 9; i++) harness.content.troubles.push({ at: "length", sendBytes: 20 });
    const report = await harness.install({ [file]: goodPackage });
    expect(report.apps[0]?.output).toMatch(/wrong size: Murano announced \d+ bytes and sent 20/);
    expect(readdirSync(join(harness.home, "packages"))).toEqual([]);
  });

  it("is a disk that is full", async () => {
    const full = Object.assign(new TypeError("write"), { code: "ENOSPC" });
    begin({
      platform: {
        ...otaPlatform,
        files: {
          ...otaPlatform.files,
          openGrowing: async (path) =>
            Object.assign(await otaPlatform.files.openGrowing(path), { append: () => Promise.reject(full) }),
        },
      },
    });
    const report = await harness.install({ [file]: goodPackage });
    expect(report.apps[0]?.output).toMatch(/could not be written to disk \(ENOSPC\)/);
    expect(readdirSync(join(harness.home, "packages"))).toEqual([]);
  });
});

describe("a digest in the command", () => {
  it.each([
    ["that fits lets the package in", "good", "installed"],
    ["that does not fit keeps it out", "other", "failed"],
  ])("%s", async (_what, which, status) => {
    begin();
    harness.content.files.set(file, goodPackage);
    const sha256 = createHash("sha256")
      .update(which === "good" ? goodPackage : "other")
      .digest("hex");
    await harness.send({ install: [{ name: file, sha256: sha256.toUpperCase() }] });
    expect(harness.reports()[0]?.apps[0]?.status).toBe(status);
  });
});

describe("progress", () => {
  it("of a download shows in the jobs, and stopping interrupts it without harm", async () => {
    begin();
    const big = packageWith("#!/bin/sh\n", [
      { name: "supervisor.conf" },
      { name: "data", content: noise(300_000) },
    ]);
    let seen: unknown;
    const body = harness.content.download.bind(harness.content);
    harness.content.download = async (request, options) => {
      const download = await body(request, options);
      return { ...download, body: stalling(download.body) };
    };
    async function* stalling(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      let chunks = 0;
      for await (const chunk of source) {
        yield chunk;
        if (++chunks === 2) seen = harness.ota.jobs();
        if (chunks === 3) void harness.ota.stop();
      }
    }
    harness.content.files.set(file, big);
    const { key } = harness.ota.accept({ text: JSON.stringify({ install: [{ name: file }] }) });
    harness.ota.acknowledgeCleared(key);
    await expect
      .poll(() => seen)
      .toEqual([
        { app: "meter", version: "1", state: "downloading", receivedBytes: 131_072, totalBytes: big.length },
      ]);
    await harness.ota.stop();
    expect(harness.ota.jobs()).toMatchObject([{ state: "downloading" }]);

    // What nobody waits for goes at the next start; what the job holds stays.
    const packages = join(harness.home, "packages");
    for (const name of ["old.v1.tar.gz.partial", "old.v1.tar.gz.partial.json", `.${file}.partial.json.tmp`]) {
      writeFileSync(join(packages, name), "{");
    }
    const starts: unknown[] = [];
    harness.content.download = (request, options) => {
      starts.push(request.offset, readdirSync(packages).sort());
      return body(request, options);
    };
    harness.ota.start();
    await harness.ota.idle();
    expect(starts).toEqual([196_608, [`${file}.partial`, `${file}.partial.json`]]);
    expect(harness.host.installed("meter")?.version).toBe("1");
    expect(readdirSync(packages)).toEqual([]);
  });
});

/** Does not compress, and is the same in every run. */
function noise(bytes: number): Buffer {
  const zeros = Buffer.alloc(bytes);
  return createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16)).update(zeros);
}
