import { GweError } from "../../core/errors.ts";
import type { Client, Owner } from "../store/types.ts";

/** On whose behalf a call runs: a device (itself, or its owner in its stead), or the product owner itself. */
export type Actor =
  | { readonly kind: "device"; readonly client: Client; readonly by: "device" | "owner" }
  | { readonly kind: "owner"; readonly owner: Owner };

/** A call that fails: `status` is the word in the answer. */
export class RpcFailure extends GweError {
  readonly code = "RPC_FAILURE";
  readonly status: "invalid" | "restricted" | "badarg" | "error";
  readonly detail: unknown;

  constructor(status: RpcFailure["status"], message: string, detail?: unknown) {
    super(message, { context: { status } });
    this.status = status;
    this.detail = detail;
  }
}

export type RpcProcedure = (actor: Actor, args: readonly unknown[]) => Promise<unknown>;
