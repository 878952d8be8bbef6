import { GweError } from "../../src/core/errors.ts";
import { WaitTimeoutError } from "../../src/emulator/index.ts";
import { patienceMs } from "./eventually.ts";

/** The emulator answered a test's own call with another status than expected. */
class UnexpectedAnswerError extends GweError {
  readonly code = "UNEXPECTED_ANSWER";
}

/** Keeps the test's own calls out of reach of its faults, and out of the request log. */
const staging = { "X-Emulator-Bypass": "1" };

export interface EmulatorAddress {
  readonly url: string;
  readonly token: string;
  readonly cik: string;
}

export interface OwnerAccess {
  readonly form?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses that are fine; any 2xx by default. */
  readonly accept?: readonly number[];
}

export async function ownerFetch(
  { url, token }: EmulatorAddress,
  method: string,
  path: string,
  { form, body, headers, accept }: OwnerAccess,
): Promise<Response> {
  const payload = form ? new URLSearchParams(form) : body;
  const response = await fetch(url + path, {
    method,
    headers: { "X-Exosite-Token": token, ...staging, ...headers },
    ...(payload !== undefined && { body: payload }),
  });
  if (accept ? accept.includes(response.status) : response.ok) return response;
  throw new UnexpectedAnswerError(`${method} ${path}: ${response.status} ${await response.text()}`);
}

/** `[unix seconds, value]` */
export type Point = readonly [timestamp: number, value: string];

/** One device as its owner sees it, through the management side and RPC. */
export class EmulatedDevice {
  readonly product: string;
  readonly sn: string;
  readonly #emulator: EmulatorAddress;

  constructor(emulator: EmulatorAddress, product: string, sn: string) {
    this.#emulator = emulator;
    this.product = product;
    this.sn = sn;
  }

  get #path(): string {
    return `/provision/manage/model/${this.product}/${encodeURIComponent(this.sn)}`;
  }

  /** Voids the CIK, if there is one, and opens activation. */
  async enable(): Promise<void> {
    await ownerFetch(this.#emulator, "POST", this.#path, { form: { enable: "true" } });
  }

  /** Voids the CIK; activation answers 409 until `enable`. */
  async disable(): Promise<void> {
    await ownerFetch(this.#emulator, "POST", this.#path, { form: { disable: "true" } });
  }

  /** `activated`, `notactivated`, `expired`, or empty for a serial that was never enabled. */
  async status(): Promise<string> {
    return (await this.#row())[0] ?? "";
  }

  async rid(): Promise<string> {
    const rid = (await this.#row())[1];
    if (rid) return rid;
    throw new UnexpectedAnswerError("the serial has no client yet", { context: { sn: this.sn } });
  }

  async #row(): Promise<string[]> {
    const response = await ownerFetch(this.#emulator, "GET", this.#path, {});
    return (await response.text()).trimEnd().split(",");
  }

  /** Activates in the device's stead; resolves to the CIK. */
  async activate(): Promise<string> {
    const { product, sn } = this;
    const response = await fetch(`${this.#emulator.url}/provision/activate`, {
      method: "POST",
      headers: staging,
      body: new URLSearchParams({ vendor: product, model: product, sn }),
    });
    const body = await response.text();
    if (response.status === 200) return body;
    throw new UnexpectedAnswerError(`activate: ${response.status} ${body}`);
  }

  /** Writes an alias as the owner: a command to the device. */
  async write(alias: string, value: string): Promise<void> {
    await this.rpc("write", [{ alias }, value]);
  }

  /** The latest value; undefined when there is none. */
  async latest(alias: string): Promise<string | undefined> {
    return (await this.history(alias, { limit: 1, sort: "desc" }))[0]?.[1];
  }

  /** All values, oldest first. */
  async history(
    alias: string,
    options: { starttime?: number; endtime?: number; limit?: number; sort?: "asc" | "desc" } = {},
  ): Promise<Point[]> {
    const args = [{ alias }, { limit: 100_000, sort: "asc", ...options }];
    const answer = await this.#call("read", args);
    if (answer.status === "invalid") return [];
    if (answer.status !== "ok") throw new UnexpectedAnswerError(`RPC read: ${JSON.stringify(answer)}`);
    return answer.result as Point[];
  }

  /** Resolves to the alias' latest value once it satisfies `accept` (by default: is not empty). */
  async waitForValue(
    alias: string,
    accept: (value: string) => boolean = (value) => value !== "",
    timeoutMs = patienceMs,
  ): Promise<string> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const value = await this.latest(alias);
      if (value !== undefined && accept(value)) return value;
      if (performance.now() > deadline) {
        throw new WaitTimeoutError("the alias did not get such a value", {
          context: { alias, latest: value, timeoutMs },
        });
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** An RPC call by the owner on this device; rejects unless its status is ok. */
  async rpc(procedure: string, args: readonly unknown[]): Promise<unknown> {
    const answer = await this.#call(procedure, args);
    if (answer.status === "ok") return answer.result;
    throw new UnexpectedAnswerError(`RPC ${procedure}: ${JSON.stringify(answer)}`);
  }

  async #call(procedure: string, args: readonly unknown[]): Promise<{ status: string; result?: unknown }> {
    const response = await fetch(`${this.#emulator.url}/onep:v1/rpc/process`, {
      method: "POST",
      headers: { "Content-Type": "application/json; charset=utf-8", ...staging },
      body: JSON.stringify({
        auth: { cik: this.#emulator.cik, client_id: await this.rid() },
        calls: [{ id: 1, procedure, arguments: args }],
      }),
    });
    const [answer] = (await response.json()) as [{ status: string; result?: unknown }];
    return answer;
  }
}
