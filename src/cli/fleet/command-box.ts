import * as z from "zod/mini";
import { CommandError } from "../errors.ts";
import type { OwnerApi } from "./owner-api.ts";

const alias = "engine_fetch";

export type Delivery =
  | { readonly kind: "sent"; readonly ts: number }
  /** Another command waits, and is left alone. */
  | { readonly kind: "blocked"; readonly by: string };

const points = z.array(z.tuple([z.number(), z.union([z.string(), z.number(), z.boolean()])]));
type Point = readonly [ts: number, value: string];

/** `engine_fetch` of a gateway through RPC, which knows no compare-and-write. */
export class CommandBox {
  readonly #owner: OwnerApi;

  constructor(owner: OwnerApi) {
    this.#owner = owner;
  }

  /**
   * Writes a command where none waits. Another that arrives between the look and the write is seen in the history and
   * put back.
   */
  async deliver(rid: string, text: string): Promise<Delivery> {
    const [before] = await this.#history(rid, { limit: 1, sort: "desc" });
    if (before !== undefined && before[1] !== "") return { kind: "blocked", by: before[1] };
    const [ours, previous] = await this.#write(rid, text);
    if (ours?.[1] !== text) return { kind: "blocked", by: ours?.[1] ?? "" };
    const isOthers = previous !== undefined && previous[1] !== "" && previous[0] > (before?.[0] ?? -1);
    if (!isOthers) return { kind: "sent", ts: ours[0] };
    await this.#write(rid, previous[1]);
    return { kind: "blocked", by: previous[1] };
  }

  /** What it held after the value of this second; undefined while it holds that value. */
  async nextAfter(rid: string, ts: number): Promise<string | undefined> {
    return (await this.#history(rid, { starttime: ts + 1, limit: 1, sort: "asc" }))[0]?.[1];
  }

  /** The newest two values after writing this one, newest first. */
  async #write(rid: string, text: string): Promise<readonly Point[]> {
    const [written, read] = await this.#owner.calls(rid, [
      { procedure: "write", arguments: [{ alias }, text] },
      { procedure: "read", arguments: [{ alias }, { limit: 2, sort: "desc" }] },
    ]);
    if (written?.status !== "ok")
      throw new CommandError(`the server answers '${written?.status}' to the write`);
    return pointsOf(read?.status, read?.result);
  }

  async #history(
    rid: string,
    options: { readonly starttime?: number; readonly limit: number; readonly sort: "asc" | "desc" },
  ): Promise<readonly Point[]> {
    const [read] = await this.#owner.calls(rid, [{ procedure: "read", arguments: [{ alias }, options] }]);
    return pointsOf(read?.status, read?.result);
  }
}

/** @throws CommandError */
export function pointsOf(status: string | undefined, result: unknown): readonly Point[] {
  // A dataport that nobody has written yet does not exist.
  if (status === "invalid") return [];
  const parsed = points.safeParse(result);
  if (status !== "ok" || !parsed.success) throw new CommandError(`the server answers '${status}' to a read`);
  return parsed.data.map(([ts, value]) => [ts, String(value)]);
}
