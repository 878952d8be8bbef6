/** A link to Murano that fails as links in the field do: a TLS proxy on loopback in front of the emulator. */
import dns from "node:dns";
import { connect, type Socket } from "node:net";
import { createServer, type Server } from "node:tls";
import type { Random } from "../../src/core/clock.ts";
import { createAuthority } from "../support/device-client-certificates.ts";

export const linkModes = [
  "ok",
  /** Connections end, new ones are refused. */
  "cut",
  /** Every connection ends after some bytes, in the middle of a request or of an answer. */
  "flapping",
  /** A fifth of what is sent in either direction never arrives. */
  "lossy",
  /** Each way takes a second. */
  "slow",
  /** 200 with a web page, whatever was asked. */
  "captive-portal",
  /** The server's name is not found. */
  "dns-failure",
  /** Somebody else's certificate. */
  "tls-failure",
  /** Connections stand, and nothing comes back. */
  "half-open",
] as const;
export type LinkMode = (typeof linkModes)[number];

const hostName = "murano.test";
/** One way, at the scale of the client's time-outs in this program (15 s are 200 ms): 2 s there and back. */
const slowMs = 13;
const lossProbability = 0.2;

const portalPage = "<!doctype html><title>Welcome</title><p>Please accept our terms.";
const portalAnswer = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${portalPage.length}\r\n\r\n${portalPage}`;

export interface BadLinkOptions {
  readonly targetUrl: string;
  readonly random: Random;
}

export class BadLink {
  /** The authority that the server's true certificate is signed by. */
  readonly ca: string;
  private readonly target: URL;
  private readonly random: Random;
  private readonly server: Server;
  private readonly contexts;
  private readonly sockets = new Set<Socket>();
  private readonly realLookup = dns.lookup;
  private mode: LinkMode = "ok";
  private port = 0;

  constructor({ targetUrl, random }: BadLinkOptions) {
    this.target = new URL(targetUrl);
    this.random = random;
    const authority = createAuthority("the test's authority");
    this.ca = authority.cert;
    this.contexts = {
      right: authority.issue(hostName, `DNS:${hostName}`),
      wrong: createAuthority("somebody else").issue(hostName, `DNS:${hostName}`),
    };
    this.server = createServer(this.contexts.right, (socket) => this.serve(socket));
    this.server.on("connection", (socket: Socket) => this.track(socket));
    // A client that does not like the certificate, or goes away meanwhile: that is what is tested.
    this.server.on("tlsClientError", () => undefined);
  }

  get url(): string {
    return `https://${hostName}:${this.port}`;
  }

  async start(): Promise<void> {
    await this.listen();
    // Node offers no resolver of one's own to code that is tested as it is.
    Object.assign(dns, { lookup: this.lookup.bind(this) });
  }

  async stop(): Promise<void> {
    Object.assign(dns, { lookup: this.realLookup });
    await this.shut();
  }

  /** Every change of the link breaks the connections that stand. */
  async become(mode: LinkMode): Promise<void> {
    const wasCut = this.mode === "cut";
    this.mode = mode;
    for (const socket of this.sockets) socket.destroy();
    this.server.setSecureContext(mode === "tls-failure" ? this.contexts.wrong : this.contexts.right);
    if (mode === "cut") await this.shut();
    else if (wasCut) await this.listen();
  }

  private async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(this.port, "127.0.0.1", resolve));
    const address = this.server.address();
    if (typeof address === "object" && address !== null) this.port = address.port;
  }

  private async shut(): Promise<void> {
    if (!this.server.listening) return;
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private track(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => this.sockets.delete(socket));
  }

  private serve(client: Socket): void {
    client.on("error", () => undefined);
    switch (this.mode) {
      case "captive-portal":
        client.once("data", () => client.end(portalAnswer));
        return;
      case "half-open":
        client.resume();
        return;
      default:
        this.forward(client);
    }
  }

  private forward(client: Socket): void {
    const murano = connect(Number(this.target.port), this.target.hostname);
    this.track(murano);
    const end = (): void => {
      client.destroy();
      murano.destroy();
    };
    client.once("close", end);
    murano.once("close", end);
    const budget = { bytes: this.mode === "flapping" ? Math.floor(this.random() * 30_000) : Infinity };
    this.carry(client, murano, budget, end);
    this.carry(murano, client, budget, end);
  }

  private carry(from: Socket, to: Socket, budget: { bytes: number }, end: () => void): void {
    from.on("data", (chunk: Buffer) => {
      if (this.mode === "lossy" && this.random() < lossProbability) {
        // Half of the losses are noticed at once, half by silence.
        if (this.random() < 0.5) end();
        return;
      }
      budget.bytes -= chunk.length;
      if (budget.bytes < 0) {
        to.write(chunk.subarray(0, chunk.length + budget.bytes));
        setImmediate(end);
        return;
      }
      if (this.mode === "slow") setTimeout(() => to.writable && to.write(chunk), slowMs);
      else to.write(chunk);
    });
  }

  private lookup(name: string, options: unknown, callback: (...answer: unknown[]) => void): void {
    if (name !== hostName) {
      (this.realLookup as (...args: unknown[]) => void)(name, options, callback);
      return;
    }
    const isAll = (options as { readonly all?: boolean }).all === true;
    setImmediate(() => {
      if (this.mode === "dns-failure") {
        callback(
          Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), {
            code: "ENOTFOUND",
            syscall: "getaddrinfo",
          }),
        );
      } else if (isAll) callback(null, [{ address: "127.0.0.1", family: 4 }]);
      else callback(null, "127.0.0.1", 4);
    });
  }
}
