import type { Clock } from "../../src/core/clock.ts";
import { type DeviceApi, DeviceApiError, NetworkError, TimeoutError } from "../../src/device-client/index.ts";

/** One call as the engine saw it: repeated exchanges on the wire are one. */
export interface ObservedCall {
  readonly procedure: string;
  readonly durationMs: number;
  /** Undefined: it was answered as it should be. */
  readonly error?: unknown;
}

export interface LinkParts {
  readonly clock: Clock;
  readonly observe: (call: ObservedCall) => void;
  /** Whether the gateway is cut off from the network: no request leaves it. */
  readonly isCutOff: () => boolean;
}

/** The same API, timed, and dead while the gateway is cut off. */
export function observedLink(api: DeviceApi, { clock, observe, isCutOff }: LinkParts): DeviceApi {
  return new Proxy(api, {
    get: (target, name) => {
      const call = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>;
      const procedure = String(name);
      return async (...args: unknown[]) => {
        if (isCutOff()) throw new NetworkError("no network", { procedure, requestSent: false });
        const startedMs = clock.monotonic();
        try {
          const answer = await call.apply(target, args);
          observe({ procedure, durationMs: clock.monotonic() - startedMs });
          return answer;
        } catch (error) {
          observe({ procedure, durationMs: clock.monotonic() - startedMs, error });
          throw error;
        }
      };
    },
  });
}

/** What a call failed of, short enough to be counted by: `activate NETWORK ECONNRESET`, `writeRead 503`. */
export function errorName(procedure: string, error: unknown): string {
  if (!(error instanceof DeviceApiError))
    return `${procedure} ${error instanceof Error ? error.name : error}`;
  const parts = [procedure, error.status ?? error.code];
  if (error instanceof TimeoutError) parts.push(error.phase);
  if (typeof error.context.code === "string") parts.push(error.context.code);
  const isUnheard = (error instanceof NetworkError || error instanceof TimeoutError) && !error.requestSent;
  return [...parts, ...(isUnheard ? ["(nothing sent)"] : [])].join(" ");
}
