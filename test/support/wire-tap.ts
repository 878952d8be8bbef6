import { connect, createServer, type Server, type Socket } from "node:net";

/** Stands between a client and a server, and counts what passes. */
export class WireTap implements AsyncDisposable {
  readonly url: string;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private taken = { sent: Buffer.alloc(0), received: 0 };

  private constructor(server: Server, port: number) {
    this.server = server;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async before(serverUrl: string): Promise<WireTap> {
    const { hostname, port } = new URL(serverUrl);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const tap = new WireTap(server, (server.address() as { port: number }).port);
    server.on("connection", (client) => tap.join(client, connect(Number(port), hostname)));
    return tap;
  }

  /** What has passed since the last asking: the client's bytes themselves, and how many came back. */
  take(): { readonly sent: Buffer; readonly received: number } {
    const { taken } = this;
    this.taken = { sent: Buffer.alloc(0), received: 0 };
    return taken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(client: Socket, server: Socket): void {
    client.on("data", (chunk: Buffer) => {
      this.taken.sent = Buffer.concat([this.taken.sent, chunk]);
    });
    server.on("data", (chunk: Buffer) => {
      this.taken.received += chunk.length;
    });
    client.pipe(server);
    server.pipe(client);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        this.sockets.delete(one);
        other.destroy();
      });
    }
  }
}
