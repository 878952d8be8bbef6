import { createSecureContext } from "node:tls";
import type { Audit } from "./audit.ts";
import type { CertificateTime } from "./certificate-time.ts";
import { DeviceClientOptionsError } from "./errors.ts";
import { type ProxyEnvironment, type ProxyServer, proxyFor } from "./proxy.ts";

/** PEM texts (not file names): the certificate, with its chain if it needs one, and its private key. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Who speaks: one device. */
export interface Identity {
  /** Product id, twice. Only the content calls need them. */
  readonly vendor?: string | undefined;
  readonly model?: string | undefined;
  /** 40 characters `[0-9a-zA-Z]`. A function is asked at each call, so that a re-activation takes effect at once. */
  readonly cik?: string | (() => string | undefined) | undefined;
  /** Takes the CIK's place: the CIK header is then left out. Needs an `https:` server. */
  readonly clientCertificate?: ClientCertificate | undefined;
  /** For whom the traffic is counted; passed on to the audit hook as it is. */
  readonly consumer?: string | undefined;
}

export interface DeviceClientOptions extends Identity {
  /** `scheme://host[:port]`, scheme `https` or `http`. */
  readonly baseUrl: string;
  /** PEM text of the certificate authorities to trust, in place of Node's own list. */
  readonly ca?: string | undefined;
  /** Default `gateway-engine-device-client`. */
  readonly userAgent?: string | undefined;
  /** For DNS, TCP, the proxy and TLS together. Milliseconds, default 15 000. */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Longest time without a byte from the server once connected. Milliseconds, default 15 000. A request of n KiB
   * gets n seconds more before its first answer byte, since a slow modem is still sending it; a long poll its
   * Request-Timeout; an activation four times as long, because its answer comes only once.
   */
  readonly idleTimeoutMs?: number | undefined;
  /**
   * An unused connection is closed after this time, or a second before the time that the server announces.
   * Milliseconds, default 60 000: shorter than the memory of common NATs.
   */
  readonly keepAliveMs?: number | undefined;
  /** Longest answer that is taken into memory (downloads are not). Bytes, default 1 MiB. */
  readonly maxAnswerBytes?: number | undefined;
  readonly audit?: Audit | undefined;
  /**
   * The time, unix milliseconds, at which certificates must be valid: asked at each new connection. Undefined, or no
   * such option: by the system's clock. For machines whose clock is known to be wrong; everything else about a
   * certificate is verified as ever.
   */
  readonly certificateTime?: (() => number | undefined) | undefined;
  /** Is told the times that the server writes into its answers. */
  readonly serverClock?: ServerClock | undefined;
  /** Where `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are looked up. Default `process.env`; `{}` for no proxy. */
  readonly proxyEnvironment?: ProxyEnvironment | undefined;
}

/** Learns from the server's clock. Must not throw. */
export interface ServerClock {
  /** Milliseconds of a monotonic clock of the listener's own. */
  nowMs(): number;
  /** An answer's `Date` (unix milliseconds, whole seconds, rounded down), and by `nowMs` when its request left and it came. */
  heard(time: { readonly dateMs: number; readonly sentMs: number; readonly receivedMs: number }): void;
}

/** The options that all identities share, checked and with defaults. */
export interface Settings {
  readonly server: URL;
  readonly ca: string | undefined;
  readonly userAgent: string;
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly maxAnswerBytes: number;
  readonly audit: Audit | undefined;
  readonly certificateTime: () => CertificateTime | undefined;
  readonly serverClock: ServerClock | undefined;
  readonly proxy: ProxyServer | undefined;
}

/** @throws DeviceClientOptionsError naming the option that cannot be used */
export function resolveOptions(options: DeviceClientOptions): Settings {
  const server = parseBaseUrl(options.baseUrl);
  const userAgent = options.userAgent ?? "gateway-engine-device-client";
  if (!/^[\x20-\x7e]+$/.test(userAgent)) throw unusable("userAgent", "printable ASCII");
  if (options.ca !== undefined && !options.ca.includes("-----BEGIN ")) throw unusable("ca", "a PEM text");
  return {
    server,
    ca: options.ca,
    userAgent,
    connectTimeoutMs: positive("connectTimeoutMs", options.connectTimeoutMs ?? 15_000),
    idleTimeoutMs: positive("idleTimeoutMs", options.idleTimeoutMs ?? 15_000),
    keepAliveMs: positive("keepAliveMs", options.keepAliveMs ?? 60_000),
    maxAnswerBytes: positive("maxAnswerBytes", options.maxAnswerBytes ?? 1024 * 1024),
    audit: options.audit,
    certificateTime: () => {
      const timeMs = options.certificateTime?.();
      return timeMs === undefined ? undefined : { kind: "at", timeMs };
    },
    serverClock: options.serverClock,
    proxy: proxyFor(server, options.proxyEnvironment ?? process.env),
  };
}

/** @throws DeviceClientOptionsError when certificate and key are no pair, or TLS is off */
export function checkIdentity(identity: Identity, server: URL): void {
  if (identity.clientCertificate === undefined) return;
  if (server.protocol !== "https:") throw unusable("clientCertificate", "an https: baseUrl");
  try {
    createSecureContext(identity.clientCertificate);
  } catch (cause) {
    throw unusable("clientCertificate", "a PEM certificate and its PEM private key", cause);
  }
}

function parseBaseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain =
    url?.pathname === "/" && url.search === "" && url.hash === "" && `${url.username}${url.password}` === "";
  if (url === undefined || !isPlain || !/^https?:$/.test(url.protocol)) {
    throw unusable("baseUrl", "scheme://host[:port] with scheme https or http");
  }
  return url;
}

const longestTimerMs = 2 ** 31 - 1;

/** @throws DeviceClientOptionsError for what no timer can wait */
export function positive(option: string, value: number): number {
  if (value > 0 && value <= longestTimerMs) return value;
  throw unusable(option, `a number above 0 and at most ${longestTimerMs}`);
}

function unusable(option: string, expected: string, cause?: unknown): DeviceClientOptionsError {
  return new DeviceClientOptionsError(`${option}: expected ${expected}`, { cause, context: { option } });
}
