import type { CallOptions, DeviceApi } from "./api.ts";
import type { Validity } from "./certificate-time.ts";
import { DeviceSession } from "./device-session.ts";
import { NetworkError } from "./errors.ts";
import { checkIdentity, type DeviceClientOptions, type Identity, resolveOptions } from "./options.ts";
import { Transport } from "./transport.ts";

/**
 * A device's connection to Murano: every procedure of the Exosite HTTP Device API, typed. Needs Node 22.12 or newer.
 *
 * ```ts
 * const client = new DeviceClient({ baseUrl: "https://abc123.m2.exosite.io", cik });
 * const { values } = await client.writeRead({ temperature: "21.5" }, ["setpoint"]);
 * console.log(values.get("setpoint"));
 * client.close();
 * ```
 *
 * - Every call rejects with a `DeviceApiError` subclass, or with the reason of the caller's `AbortSignal`; the
 *   connection that it used is closed then.
 * - Connections are kept alive and shared; any number of calls may run at once, each on a connection of its own.
 * - Nothing is repeated but a request that met a dead kept-alive connection, and only where repeating is safe.
 *   `withRetry` repeats more.
 * - Redirects are not followed and nothing is decompressed. TLS certificates are always verified; a gateway whose
 *   clock is far off sees that as NetworkError with `context.code` `CERT_NOT_YET_VALID` (`certificateTime` and
 *   `timestampFromAnyTime` are the ways out).
 */
export class DeviceClient extends DeviceSession {
  readonly #transport: Transport;
  readonly #consumer: string | undefined;

  /** Connects to nothing yet. @throws DeviceClientOptionsError naming the option that cannot be used */
  constructor(options: DeviceClientOptions) {
    const settings = resolveOptions(options);
    checkIdentity(options, settings.server);
    const transport = new Transport(settings);
    super(transport, options);
    this.#transport = transport;
    this.#consumer = options.consumer;
  }

  /**
   * Another identity that shares this client's connections and options. Nothing of this client's own identity is
   * passed on. Closing this client ends it too.
   *
   * @throws DeviceClientOptionsError for a client certificate that cannot be used
   */
  as(identity: Identity): DeviceApi {
    checkIdentity(identity, this.#transport.settings.server);
    return new DeviceSession(this.#transport, identity);
  }

  /**
   * `timestamp` for a machine that does not know the time, on a connection of its own for this one request: chain and
   * host name of the server's certificate are verified, and its dates against the time that the server itself tells.
   *
   * @param notBefore unix seconds: the time is known to be later, and a certificate that had expired then is refused
   * @throws DeviceApiError as `timestamp`; NetworkError too where the certificate is not valid at the time told
   */
  async timestampFromAnyTime(notBefore: number, options?: CallOptions): Promise<number> {
    let validity: Validity | undefined;
    const found = (one: Validity): void => {
      validity = one;
    };
    const { settings } = this.#transport;
    const transport = new Transport({
      ...settings,
      serverClock: undefined,
      certificateTime: () => ({ kind: "any", fromMs: notBefore * 1000, found }),
    });
    try {
      const timestamp = await new DeviceSession(transport, { consumer: this.#consumer }).timestamp(options);
      const isHttps = settings.server.protocol === "https:";
      const isValid = validity !== undefined && isWithin(timestamp, validity) && timestamp >= notBefore;
      if (isHttps && !isValid) {
        throw new NetworkError("timestamp: the server tells a time at which its certificate is not valid", {
          procedure: "timestamp",
          context: { code: "CERT_NOT_YET_VALID", timestamp },
        });
      }
      return timestamp;
    } finally {
      transport.close();
    }
  }

  /** Running calls reject with ClientClosedError, as do later ones; every connection is closed. */
  close(): void {
    this.#transport.close();
  }
}

function isWithin(timestamp: number, { fromMs, toMs }: Validity): boolean {
  return timestamp * 1000 >= fromMs - 1000 && timestamp * 1000 <= toMs;
}
