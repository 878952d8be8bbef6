import { describe, expect, it } from "vitest";
import { StepFailure } from "../../../src/ota/errors.ts";
import { defaultOtaLimits } from "../../../src/ota/index.ts";
import { systemClock } from "../../../src/platform/system-clock.ts";
import { DownloadScene, mebibyte, noise } from "../../support/download-scene.ts";

/** Printable, so that a fault can send it as a body of its own. */
const text = noise(150_000).toString("hex");
const half = { match: { procedure: "download" }, cutAfterBytes: text.length / 2, count: 1 } as const;
/** Node drops what a cut finds unread, up to 200 kB on a busy machine: of this that is little. */
const long = noise(4 * mebibyte);
const halfOfLong = { ...half, cutAfterBytes: long.length / 2 };
const later = { match: { procedure: "download" }, skip: 1, count: 1 } as const;

describe("a link", () => {
  it("that is cut after each 64 KiB of 20 MB is used from where it was cut", async () => {
    const content = noise(20_000_000);
    await using scene = await DownloadScene.start(content);
    scene.emulator.addFault({ match: { procedure: "download" }, cutAfterBytes: 65_536 });
    const sleeps: number[] = [];
    const clock = {
      ...systemClock,
      sleep: async (ms: number) => {
        sleeps.push(ms);
      },
    };
    const limits = { ...defaultOtaLimits, reserveBytes: 0 };
    expect(await scene.fetch({ clock, limits })).toBe(content.length);
    expect(scene.fetched.equals(content)).toBe(true);
    expect(scene.bytesServed()).toBeLessThanOrEqual(1.1 * content.length);
    expect(sleeps.length).toBeGreaterThan(300);
    // With the delays that gateways wait, no growing ones among them.
    expect(Math.max(...sleeps)).toBeLessThanOrEqual(250);
    expect(scene.emulator.requests({ procedure: "content-info" }).length).toBeLessThan(5);
  });

  it("that brings a byte each 100 ms is slow, not dead", async () => {
    await using scene = await DownloadScene.start(text.slice(0, 12));
    scene.emulator.addFault({ match: { procedure: "download" }, bytesPerSecond: 10 });
    await scene.fetch({ limits: { downloadIdleMs: 600 } });
    expect(scene.fetched.toString()).toBe(text.slice(0, 12));
    expect(scene.statuses()).toEqual([200]);
  });

  it("that brings nothing any more is given up after the idle time-out, 60 s, and taken up again", async () => {
    expect(defaultOtaLimits.downloadIdleMs).toBe(60_000);
    await using scene = await DownloadScene.start(text);
    scene.emulator.addFault({ match: { procedure: "download" }, bytesPerSecond: 1, count: 1 });
    await scene.fetch({ limits: { downloadIdleMs: 300 } });
    expect(scene.fetched.toString()).toBe(text);
    // A busy machine may let the second one wait for too long, too.
    expect(scene.statuses().length).toBeGreaterThan(1);
    expect(new Set(scene.statuses())).toEqual(new Set([200]));
  });

  it("over which nothing gets through is given up at last", async () => {
    await using scene = await DownloadScene.start(text);
    scene.emulator.addFault({ match: { procedure: "download" }, status: 503 });
    await expect(scene.fetch({ limits: { downloadAttempts: 5 } })).rejects.toThrow(
      /6 attempts brought nothing; the last trouble: download: server error \(503\)/,
    );
    expect(scene.statuses()).toHaveLength(6);
  });

  it("may be used at the speed of the cap only", async () => {
    await using scene = await DownloadScene.start(noise(mebibyte));
    let virtualMs = 0;
    const clock = {
      ...systemClock,
      monotonic: () => virtualMs,
      sleep: async (ms: number) => {
        virtualMs += ms;
      },
    };
    await scene.fetch({ clock, limits: { downloadBytesPerSecond: 100_000 } });
    // One second's worth comes at once.
    expect(virtualMs / 1000).toBeCloseTo((mebibyte - 100_000) / 100_000, 3);
    expect(scene.statuses()).toEqual([200]);
  });
});

describe("an answer", () => {
  it("of another length than announced is refused; what is held stays", async () => {
    await using scene = await DownloadScene.start(long);
    scene.emulator.addFault(halfOfLong);
    scene.emulator.addFault({ ...later, status: 200, body: "short" });
    await scene.fetch();
    expect(scene.fetched.equals(long)).toBe(true);
    expect(scene.statuses()).toEqual([200, 200, 206]);
    expect(scene.bytesServed()).toBeLessThan(1.1 * long.length);
  });

  it("that always has another length ends the download", async () => {
    await using scene = await DownloadScene.start(text);
    scene.emulator.addFault({ match: { procedure: "download" }, status: 200, body: "short" });
    await expect(scene.fetch()).rejects.toThrow(
      "the download has the wrong size: Murano announced 300000 bytes and sent 5",
    );
    expect(scene.statuses()).toHaveLength(5);
  });

  it("of a captive portal is waited out; what is held stays", async () => {
    await using scene = await DownloadScene.start(long);
    scene.emulator.addFault(halfOfLong);
    const portal = { status: 200, headers: { "Content-Type": "text/html" }, body: "<html>Log in</html>" };
    scene.emulator.addFault({ ...later, ...portal, count: 10 });
    await scene.fetch();
    expect(scene.fetched.equals(long)).toBe(true);
    expect(scene.bytesServed()).toBeLessThan(1.1 * long.length);
  });

  it("that ignores the range is taken as the whole", async () => {
    await using scene = await DownloadScene.start(text);
    scene.emulator.addFault(half);
    scene.emulator.addFault({ ...later, status: 200, body: text });
    await scene.fetch();
    expect(scene.fetched.toString()).toBe(text);
    expect(scene.statuses()).toEqual([200, 200]);
  });

  it.each([
    ["another range", "bytes 0-9/300000"],
    ["a range of another content", "bytes 150000-150009/400000"],
    ["a range that makes no sense", "bytes 9-5/3"],
  ])("with %s is refused", async (_what, contentRange) => {
    await using scene = await DownloadScene.start(text);
    scene.emulator.addFault(half);
    const headers = { "Content-Range": contentRange };
    scene.emulator.addFault({ ...later, status: 206, headers, body: "0123456789" });
    await scene.fetch();
    expect(scene.fetched.toString()).toBe(text);
    expect(scene.statuses()).toEqual([200, 206, 206]);
  });

  it("416 makes the download start over", async () => {
    await using scene = await DownloadScene.start(text);
    scene.emulator.addFault(half);
    scene.emulator.addFault({ ...later, status: 416 });
    await scene.fetch();
    expect(scene.fetched.toString()).toBe(text);
    expect(scene.statuses()).toEqual([200, 416, 200]);
  });

  it("404 after the first half ends it", async () => {
    await using scene = await DownloadScene.start(text);
    scene.emulator.addFault(half);
    scene.emulator.addFault({ ...later, status: 404 });
    const error = await scene.fetch().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StepFailure);
    expect(String(error)).toMatch(/no content "meter.v1.tar.gz" for this product \(404\)/);
    expect(scene.statuses()).toEqual([200, 404]);
  });
});

describe("a content that is replaced", () => {
  const other = [...text].reverse().join("");

  it("while the link is down is fetched anew", async () => {
    await using scene = await DownloadScene.start(text);
    scene.emulator.addFault(half);
    const clock = {
      ...systemClock,
      sleep: async () => {
        await scene.secondsLater(5);
        await scene.upload(other);
      },
    };
    // Held for so long that Murano is asked again.
    await scene.fetch({ clock: { ...clock, monotonic: steps(40_000) } });
    expect(scene.fetched.toString()).toBe(other);
    expect(scene.statuses()).toEqual([200, 200]);
  });

  it("in mid-transfer by one of the same size is noticed at the end at the latest", async () => {
    await using scene = await DownloadScene.start(text);
    let replaced = false;
    await scene.fetch({
      content: inMidTransfer(scene, async () => {
        if (replaced) return;
        replaced = true;
        await scene.secondsLater(5);
        await scene.upload(other);
      }),
    });
    expect(scene.fetched.toString()).toBe(other);
    expect(scene.statuses()).toEqual([200, 200]);
  });

  it("again and again ends the download", async () => {
    await using scene = await DownloadScene.start(text);
    let uploads = 0;
    const content = inMidTransfer(scene, async () => {
      uploads += 1;
      await scene.upload(text.slice(uploads));
    });
    await expect(scene.fetch({ content, limits: { contentChanges: 2 } })).rejects.toThrow(
      /the content was replaced 3 times during its download/,
    );
    expect(scene.statuses()).toHaveLength(3);
  });
});

/** Each look at the clock is so much later than the last one. */
function steps(ms: number): () => number {
  let now = 0;
  return () => {
    now += ms;
    return now;
  };
}

/** The real content area, with something happening after the first bytes of each transfer. */
function inMidTransfer(
  scene: DownloadScene,
  happen: () => Promise<void>,
): DownloadScene["options"]["content"] {
  const { content } = scene.options;
  return {
    contentInfo: (id, options) => content.contentInfo(id, options),
    download: async (request, options) => {
      const download = await content.download(request, options);
      async function* body(): AsyncGenerator<Uint8Array> {
        let isFirst = true;
        for await (const chunk of download.body) {
          yield chunk;
          if (isFirst) await happen();
          isFirst = false;
        }
      }
      return { ...download, body: body() };
    },
  };
}
