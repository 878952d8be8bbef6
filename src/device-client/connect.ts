import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { GweError } from "../core/errors.ts";
import type { CertificateTime } from "./certificate-time.ts";
import type { ProxyServer } from "./proxy.ts";

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** The proxy answered CONNECT with something else than 2xx. */
export class ProxyRefusedError extends GweError {
  readonly code = "PROXY_REFUSED";
}

/** A socket that closed before it was ready, without saying why. */
export class ConnectionClosedError extends GweError {
  readonly code = "CONNECTION_CLOSED";
}

// Finds out within a few minutes that a peer has vanished during a long poll, and keeps NATs from forgetting it.
const tcpKeepAliveDelayMs = 60_000;

/**
 * Starts a TCP connection: `socket` is there at once (to count its bytes, or to end it), `connected` follows.
 * Names are resolved by Node, both address families tried.
 */
export function startTcp(endpoint: Endpoint): { readonly socket: Socket; readonly connected: Promise<void> } {
  const socket = connectTcp({
    host: endpoint.host,
    port: endpoint.port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: tcpKeepAliveDelayMs,
  });
  // Whoever uses the socket listens for its errors; this listener is there for an error after they let go of it,
  // which concerns nobody but would end the process.
  socket.on("error", () => undefined);
  return { socket, connected: occurrence(socket, "connect") };
}

/** TLS to the proxy itself, for `https://` proxies. */
export async function secureProxy(
  raw: Socket,
  proxy: ProxyServer,
  { ca, time }: { readonly ca: string | undefined; readonly time: CertificateTime | undefined },
): Promise<Duplex> {
  const secure = connectTls({
    socket: raw,
    ...(isIP(proxy.host) === 0 && { servername: proxy.host }),
    host: proxy.host,
    ...(ca !== undefined && { ca }),
    ...(time !== undefined && { rejectUnauthorized: false }),
  });
  await secured(secure, { host: proxy.host, ca, time });
  secure.on("error", () => undefined);
  return secure;
}

/**
 * Resolves when TLS stands and the other end is who it should be. With a `time` it is verified here, and not by Node:
 * the connection was opened with `rejectUnauthorized: false`, and nothing may be sent before.
 */
export async function secured(
  stream: TLSSocket,
  {
    host,
    ca,
    time,
  }: { readonly host: string; readonly ca: string | undefined; readonly time: CertificateTime | undefined },
): Promise<void> {
  await occurrence(stream, "secureConnect");
  if (time === undefined) return;
  // Hardly any process ever needs it.
  const { verifyPeer } = await import("./peer-certificate.ts");
  verifyPeer(stream, { host, ca, time });
}

/**
 * Has the proxy connect through to `target` (HTTP CONNECT); what is written afterwards goes there. An own dozen of
 * lines, because the ready-made proxy agents open the socket where its bytes cannot be counted, and bring no
 * connect time-out and no TLS session cache.
 */
export async function openTunnel(stream: Duplex, target: Endpoint, proxy: ProxyServer): Promise<void> {
  const host = isIP(target.host) === 6 ? `[${target.host}]` : target.host;
  const authority = `${host}:${target.port}`;
  const connecting = httpRequest({
    method: "CONNECT",
    path: authority,
    headers: {
      Host: authority,
      ...(proxy.authorization !== undefined && { "Proxy-Authorization": proxy.authorization }),
    },
    createConnection: () => stream,
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  connecting.once("error", reject);
  connecting.once("connect", (response: IncomingMessage, _socket: Duplex, head: Buffer) => {
    const status = response.statusCode ?? 0;
    if (status < 200 || status > 299) {
      reject(new ProxyRefusedError(`the proxy refused the connection (${status})`, { context: { status } }));
      return;
    }
    if (head.length > 0) stream.unshift(head);
    resolve();
  });
  connecting.end();
  await promise;
}

/** Resolves at `event`; rejects at an error or a close that comes first. */
function occurrence(stream: Duplex, event: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onClose = (): void =>
    reject(new ConnectionClosedError("the connection was closed while it was set up"));
  stream.once("error", reject);
  stream.once("close", onClose);
  stream.once(event, resolve);
  return promise.finally(() => {
    stream.off("error", reject);
    stream.off("close", onClose);
    stream.off(event, resolve);
  });
}
