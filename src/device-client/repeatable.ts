import type { RpcCall } from "./api.ts";

const repeatableRpc = new Set(["read", "info", "listing", "lookup", "record", "recordbatch"]);

/** Whether repeating these calls leaves what one time leaves: reads do, and records, whose timestamps are given. */
export function areRepeatable(calls: readonly RpcCall[]): boolean {
  return calls.every((call) => repeatableRpc.has(call.procedure));
}
