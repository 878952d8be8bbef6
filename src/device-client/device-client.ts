import type { DeviceApi } from "./api.ts";
import { DeviceSession } from "./device-session.ts";
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
 *   clock is far off sees that as NetworkError with `context.code` `CERT_NOT_YET_VALID`.
 */
export class DeviceClient extends DeviceSession {
  readonly #transport: Transport;

  /** Connects to nothing yet. @throws DeviceClientOptionsError naming the option that cannot be used */
  constructor(options: DeviceClientOptions) {
    const settings = resolveOptions(options);
    checkIdentity(options, settings.server);
    const transport = new Transport(settings);
    super(transport, options);
    this.#transport = transport;
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

  /** Running calls reject with ClientClosedError, as do later ones; every connection is closed. */
  close(): void {
    this.#transport.close();
  }
}
