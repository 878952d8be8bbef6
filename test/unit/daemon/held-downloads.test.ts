import { expect, it } from "vitest";
import type { Hold } from "../../../src/core/hold.ts";
import { heldDownloads } from "../../../src/daemon/held-downloads.ts";
import type { Download, DownloadRequest } from "../../../src/device-client/index.ts";

function setUp() {
  const listeners = new Set<() => void>();
  const source = {
    hold: "backlog" as Hold,
    flowedBytes: 0,
    flowed: (bytes: number) => {
      source.flowedBytes += bytes;
    },
    onChanged: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    change: (hold: Hold) => {
      source.hold = hold;
      for (const listener of listeners) listener();
    },
  };
  const asked: DownloadRequest[] = [];
  async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
    yield new Uint8Array(3);
    yield new Uint8Array(4);
  }
  const content = heldDownloads(
    {
      contentInfo: () => Promise.reject(new RangeError("not asked for")),
      download: async (request) => {
        asked.push(request);
        return { body: body(), offset: 0 } as unknown as Download;
      },
    },
    source,
  );
  return { source, content, asked, listeners };
}

it("lets a download wait until the budget is released, or it is called off", async () => {
  const { source, content, asked, listeners } = setUp();
  const stop = new AbortController();
  const calledOff = content.download({ id: "a" }, { signal: stop.signal });
  const waiting = content.download({ id: "b" });
  source.change("all-but-urgent");
  stop.abort(new RangeError("enough"));
  await expect(calledOff).rejects.toThrow("enough");
  expect(asked).toEqual([]);
  source.change("nothing");
  await waiting;
  expect(asked).toEqual([{ id: "b" }]);
  expect(listeners.size).toBe(0);
});

it("cuts one that is under way as a broken connection would, and counts what came", async () => {
  const { source, content } = setUp();
  source.change("nothing");
  const { body } = await content.download({ id: "a" });
  let received = 0;
  const read = async (): Promise<void> => {
    for await (const chunk of body) {
      received += chunk.length;
      source.change("backlog");
    }
  };
  await expect(read()).rejects.toMatchObject({ code: "NETWORK" });
  expect([received, source.flowedBytes]).toEqual([3, 3]);
});
