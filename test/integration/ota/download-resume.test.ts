import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseState } from "../../../src/ota/download/partial-state.ts";
import { durableFiles } from "../../../src/platform/durable-files.ts";
import { DownloadScene, mebibyte, noise } from "../../support/download-scene.ts";
import { bundleProgram } from "../../support/program-bundle.ts";

const content = noise(4 * mebibyte + 12_345);
const child = bundleProgram("test/support/download-child.ts");

/** A scene with about 3 MiB held by an earlier run that is over. */
async function interrupted(): Promise<DownloadScene> {
  const scene = await DownloadScene.start(content);
  await scene.fetchUntil(3 * mebibyte);
  return scene;
}

/** Finishes the download in a new run; answers how many bytes Murano sent for that. */
async function finish(scene: DownloadScene): Promise<number> {
  const { cursor } = scene.emulator;
  expect(await scene.fetch()).toBe(content.length);
  expect(scene.fetched.equals(content)).toBe(true);
  expect(readdirSync(dirname(scene.paths.whole))).toEqual(["meter.v1.tar.gz"]);
  return scene.bytesServed(cursor);
}

/** An answer's head. */
const headBytes = 1_000;

describe("a later run", () => {
  it("goes on after kill -9 in mid-download, in a new process, with what had been made durable", async () => {
    await using scene = await DownloadScene.start(content);
    const { emulator, cik, directory } = scene;
    const killAt = String(2.5 * mebibyte);
    const engine = spawn(process.execPath, [child, emulator.url, cik, directory, killAt], {
      stdio: "inherit",
    });
    expect(await once(engine, "exit")).toEqual([null, "SIGKILL"]);
    const { heldBytes } = scene;
    expect(heldBytes).toBeGreaterThanOrEqual(2 * mebibyte);
    expect(scene.sizeOfPartial()).toBeGreaterThan(heldBytes);
    const served = await finish(scene);
    expect(scene.statuses().at(-1)).toBe(206);
    expect(served).toBeGreaterThanOrEqual(content.length - heldBytes);
    expect(served).toBeLessThan(content.length - heldBytes + headBytes);
  });

  it("after an orderly stop fetches no byte twice", async () => {
    await using scene = await interrupted();
    const { heldBytes } = scene;
    expect(heldBytes).toBe(scene.sizeOfPartial());
    expect(await finish(scene)).toBeLessThan(content.length - heldBytes + headBytes);
  });

  it("takes a whole package whose renaming a crash kept from being noted", async () => {
    await using scene = await interrupted();
    await scene.fetchUntil(content.length);
    renameSync(scene.paths.partial, scene.paths.whole);
    expect(await finish(scene)).toBe(0);
  });

  it.each<[string, (scene: DownloadScene) => void]>([
    ["is missing", ({ paths }) => rmSync(paths.state)],
    ["is empty", ({ paths }) => writeFileSync(paths.state, "")],
    ["holds NUL bytes", ({ paths }) => writeFileSync(paths.state, Buffer.alloc(300))],
    ["is torn", ({ paths }) => truncateSync(paths.state, 100)],
    ["is endless", ({ paths }) => appendFileSync(paths.state, " ".repeat(40_000))],
  ])("starts over where the side file %s", async (_what, spoil) => {
    await using scene = await interrupted();
    spoil(scene);
    expect(await finish(scene)).toBeGreaterThan(content.length);
  });

  it.each([
    ["time", 0],
    ["size", 1],
  ])("starts over where the content has another %s by now", async (_what, shorterBy) => {
    await using scene = await interrupted();
    const replacement = Buffer.from(content).reverse().subarray(shorterBy);
    await scene.secondsLater(5);
    await scene.upload(replacement);
    await scene.fetch();
    expect(scene.fetched.equals(replacement)).toBe(true);
    expect(scene.statuses()).toEqual([200, 200]);
  });

  it("cuts off what the side file does not know of", async () => {
    await using scene = await interrupted();
    const { heldBytes } = scene;
    appendFileSync(scene.paths.partial, Buffer.alloc(500_000));
    expect(await finish(scene)).toBeLessThan(content.length - heldBytes + headBytes);
  });

  it.each<[string, number, (scene: DownloadScene) => void]>([
    ["is shorter than the side file says", 1, ({ paths }) => truncateSync(paths.partial, 1.5 * mebibyte)],
    ["is damaged in its first chunk", 0, (scene) => scene.damage(5)],
    ["is damaged in its third chunk", 2, (scene) => scene.damage(2 * mebibyte)],
    ["is gone", 0, ({ paths }) => rmSync(paths.partial)],
  ])("uses the chunks that are good of a partial file that %s", async (_what, goodChunks, spoil) => {
    await using scene = await interrupted();
    spoil(scene);
    const missing = content.length - goodChunks * mebibyte;
    const served = await finish(scene);
    expect(served).toBeGreaterThanOrEqual(missing);
    expect(served).toBeLessThan(missing + headBytes);
  });

  it("ends with the right bytes whatever happened to both files", async () => {
    await using scene = await DownloadScene.start(content);
    const position = fc.nat({ max: content.length - 1 });
    const damage = fc.oneof(
      fc.record({ kind: fc.constant("flip"), at: position }),
      fc.record({ kind: fc.constant("cut"), at: position }),
      fc.record({ kind: fc.constant("grow"), at: fc.nat({ max: mebibyte }) }),
      fc.record({ kind: fc.constant("side"), at: fc.nat({ max: 600 }) }),
    );
    await fc.assert(
      fc.asyncProperty(position, fc.array(damage, { maxLength: 3 }), async (stopAt, damages) => {
        await scene.fetchUntil(stopAt);
        for (const { kind, at } of damages) {
          if (kind === "flip" && at < scene.sizeOfPartial()) scene.damage(at);
          if (kind === "cut") truncateSync(scene.paths.partial, Math.min(at, scene.sizeOfPartial()));
          if (kind === "grow") appendFileSync(scene.paths.partial, Buffer.alloc(at));
          if (kind === "side" && existsSync(scene.paths.state)) truncateSync(scene.paths.state, at);
        }
        await finish(scene);
        rmSync(scene.paths.whole);
      }),
      { numRuns: 12, seed: 20_260_301 },
    );
  });
});

describe("what a side file claims", () => {
  it("has been synced before, always", async () => {
    await using scene = await DownloadScene.start(content);
    let written = 0;
    let synced = 0;
    const claims: number[] = [];
    const files = {
      ...durableFiles,
      openGrowing: async (path: string) => {
        const file = await durableFiles.openGrowing(path);
        return {
          get sizeBytes() {
            return file.sizeBytes;
          },
          read: file.read.bind(file),
          truncate: file.truncate.bind(file),
          close: file.close.bind(file),
          append: async (chunk: Uint8Array) => {
            await file.append(chunk);
            written += chunk.length;
          },
          sync: async () => {
            const before = written;
            await file.sync();
            synced = before;
          },
        };
      },
      replace: async (path: string, state: string) => {
        const claim = parseState(state)?.heldBytes ?? Number.NaN;
        expect(claim).toBeLessThanOrEqual(synced);
        claims.push(claim);
        await durableFiles.replace(path, state);
      },
      move: async (from: string, to: string) => {
        expect(synced).toBe(content.length);
        await durableFiles.move(from, to);
      },
    };
    await scene.fetch({ files });
    // One each MiB, not one each chunk that came in.
    expect(claims).toHaveLength(4);
  });

  it("is written by time on a slow link, and before a long pause", async () => {
    await using scene = await DownloadScene.start(noise(300_000));
    const cut = { match: { procedure: "download" }, cutAfterBytes: 65_536, count: 1 } as const;
    scene.emulator.addFault(cut);
    scene.emulator.addFault({ match: { procedure: "download" }, skip: 1, count: 1, status: 503 });
    const seen: (number | undefined)[] = [];
    const clock = {
      ...scene.options.clock,
      sleep: async () => {
        seen.push(existsSync(scene.paths.state) ? scene.heldBytes : undefined);
      },
    };
    const schedule = { firstDelayMs: 61_000, maxDelayMs: 61_000, factor: 1, jitter: 0 };
    await scene.fetch({ clock, limits: { downloadRetry: schedule, downloadResumeDelayMs: 100 } });
    expect(seen).toHaveLength(2);
    expect(seen[0]).toBeUndefined();
    // Up to where the cut was: Node drops what it finds unread.
    expect(seen[1]).toBeGreaterThan(0);
    expect(seen[1]).toBeLessThanOrEqual(65_536);
  });
});
