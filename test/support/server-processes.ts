/** Several emulators on one database, each a process of its own, behind one address. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { GweError } from "../../src/core/errors.ts";

class ServerProcessError extends GweError {
  readonly code = "SERVER_PROCESS";
}

const program = join(import.meta.dirname, "../../bin/murano-emulator");

export class ServerProcess {
  readonly url: string;
  readonly token: string;
  readonly cik: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, line: string) {
    this.#child = child;
    const { url, token, cik } = JSON.parse(line) as { url: string; token: string; cik: string };
    this.url = url;
    this.token = token;
    this.cik = cik;
  }

  static async start(database: string): Promise<ServerProcess> {
    const child = spawn(program, ["--port", "0"], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, MURANO_EMULATOR_DATABASE: database },
    });
    for await (const line of createInterface({ input: child.stdout })) return new ServerProcess(child, line);
    throw new ServerProcessError("the server did not start");
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  get isUp(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    if (!this.isUp) return;
    const ended = once(this.#child, "exit");
    this.#child.kill(signal);
    await ended;
  }
}

/** Hands each new connection to the next server that is up, as a load balancer does. */
export class Balancer implements AsyncDisposable {
  readonly #server: net.Server;
  readonly url: string;
  readonly #sockets: Set<net.Socket>;

  private constructor(server: net.Server, sockets: Set<net.Socket>) {
    this.#server = server;
    this.#sockets = sockets;
    this.url = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  }

  static async start(servers: readonly ServerProcess[]): Promise<Balancer> {
    const sockets = new Set<net.Socket>();
    let turn = 0;
    const server = net.createServer((front) => {
      const up = servers.filter(({ isUp }) => isUp);
      const chosen = up[turn++ % up.length];
      if (!chosen) return front.destroy();
      const back = net.connect(chosen.port, "127.0.0.1");
      for (const [socket, other] of [
        [front, back],
        [back, front],
      ] as const) {
        sockets.add(socket);
        socket.pipe(other);
        socket.on("error", () => other.destroy());
        socket.on("close", () => {
          sockets.delete(socket);
          other.destroy();
        });
      }
      return undefined;
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Balancer(server, sockets);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
