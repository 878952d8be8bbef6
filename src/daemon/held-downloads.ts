import type { Hold } from "../core/hold.ts";
import { type DeviceApi, type Download, NetworkError } from "../device-client/index.ts";

/** What keeps downloads back, and when that changes. */
export interface HoldSource {
  readonly hold: Hold;
  /** So much has come in: to be counted before the download ends. */
  flowed(bytes: number): void;
  onChanged(listener: () => void): () => void;
}

type Content = Pick<DeviceApi, "contentInfo" | "download">;

/** Lets no download begin or go on while a traffic budget holds what can wait. */
export function heldDownloads(content: Content, source: HoldSource): Content {
  return {
    contentInfo: (id, options) => content.contentInfo(id, options),
    download: async (request, options) => {
      await released(source, options?.signal);
      const download = await content.download(request, options);
      return { ...download, body: untilHeld(download, source) };
    },
  };
}

/** Ends as a connection does that broke: what came so far counts, and the rest is asked for when it may be. */
async function* untilHeld({ body }: Download, source: HoldSource): Download["body"] {
  for await (const chunk of body) {
    yield chunk;
    source.flowed(chunk.length);
    if (source.hold !== "nothing") {
      throw new NetworkError("download: held by a traffic budget", {
        procedure: "download",
        requestSent: true,
      });
    }
  }
}

async function released(source: HoldSource, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  while (source.hold !== "nothing") {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stopListening = source.onChanged(resolve);
    const over = new AbortController();
    signal?.addEventListener("abort", () => resolve(), { signal: over.signal });
    await promise;
    over.abort();
    stopListening();
    signal?.throwIfAborted();
  }
}
