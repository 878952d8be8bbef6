import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { EmulatorStartError } from "../errors.ts";

export interface ListenAddress {
  readonly host: string;
  /** 0: the kernel chooses. */
  readonly port: number;
}

/** The listening socket; it can be shut and opened again on the same port, as when the server is away. */
export class Listener {
  readonly #handler: RequestListener;
  readonly #address: ListenAddress;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port: number;
  #reopen: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(handler: RequestListener, address: ListenAddress) {
    this.#handler = handler;
    this.#address = address;
    this.#port = address.port;
  }

  get url(): string {
    const { host } = this.#address;
    return `http://${host.includes(":") ? `[${host}]` : host}:${this.#port}`;
  }

  /** @throws EmulatorStartError when the address cannot be had */
  async open(): Promise<void> {
    if (this.#server || this.#ended) return;
    clearTimeout(this.#reopen);
    const server = createServer(
      // Uploads of any size may take their time; headers may not. Keep-alive outlasts a client's pause between calls.
      { requestTimeout: 0, headersTimeout: 60_000, keepAliveTimeout: 75_000, noDelay: true },
      this.#handler,
    );
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", (cause) => {
        reject(
          new EmulatorStartError(`cannot listen on ${this.#address.host} port ${this.#port}`, {
            cause,
            context: { host: this.#address.host, port: this.#port },
          }),
        );
      });
      server.listen({ host: this.#address.host, port: this.#port, backlog: 4096 }, resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Shuts for good. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.shut();
  }

  /** Refuses connections and destroys those that are open. */
  async shut(): Promise<void> {
    clearTimeout(this.#reopen);
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Shuts, and opens again by itself. */
  async shutFor(ms: number): Promise<void> {
    await this.shut();
    if (!this.#ended) this.#reopen = setTimeout(() => void this.#openAgain(), ms);
  }

  /** Someone else may hold the port for a moment. */
  async #openAgain(): Promise<void> {
    try {
      await this.open();
      // Ended while it opened.
      if (this.#ended) await this.shut();
    } catch {
      this.#reopen = setTimeout(() => void this.#openAgain(), 50);
    }
  }
}
