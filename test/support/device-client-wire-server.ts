/** Raw HTTP servers for the device client's contract tests: they say exactly what a test wants on the wire. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly socket: Socket;
}

export type Respond = (request: SeenRequest, response: ServerResponse) => void | Promise<void>;

export interface WireServer {
  readonly url: string;
  readonly port: number;
  readonly requests: SeenRequest[];
  /** One entry per TCP connection, in order. */
  readonly connections: Socket[];
  /** What the raw sockets carried, in all. */
  readonly counters: () => { readonly fromClient: number; readonly toClient: number };
}

export interface TlsMaterial {
  readonly key: string;
  readonly cert: string;
  /** Asks for a client certificate that this authority signed, and refuses others. */
  readonly clientCa?: string;
}

/** Answers by `respond`; closed with all its connections when the test has finished. */
export async function serve(respond: Respond, tls?: TlsMaterial): Promise<WireServer> {
  const requests: SeenRequest[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "", url = "", headers, socket } = request;
    const seen: SeenRequest = { method, url, headers, body: Buffer.concat(chunks).toString(), socket };
    requests.push(seen);
    await respond(seen, response);
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    handle(request, response).catch((error: Error) => response.destroy(error));
  };
  const keepAliveTimeout = 60_000;
  const http =
    tls === undefined
      ? createServer({ keepAliveTimeout }, onRequest)
      : createTlsServer({ keepAliveTimeout, ...toServerOptions(tls) }, onRequest);
  // The HTTP server gets its sockets from a TCP server of our own, whose counters see what the wire saw.
  return { ...(await listen((socket) => http.emit("connection", socket))), requests };
}

function toServerOptions({ key, cert, clientCa }: TlsMaterial): ServerOptions {
  if (clientCa === undefined) return { key, cert };
  return { key, cert, ca: clientCa, requestCert: true, rejectUnauthorized: true };
}

/** A TCP server whose connections the test handles byte by byte. */
export async function listen(
  onSocket: (socket: Socket, index: number) => void,
): Promise<Omit<WireServer, "requests">> {
  const connections: Socket[] = [];
  const server = createTcpServer((socket) => {
    socket.on("error", () => socket.destroy());
    connections.push(socket);
    onSocket(socket, connections.length - 1);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of connections) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const counters = () => ({
    fromClient: connections.reduce((sum, socket) => sum + socket.bytesRead, 0),
    toClient: connections.reduce((sum, socket) => sum + socket.bytesWritten, 0),
  });
  return { url: `http://127.0.0.1:${port}`, port, connections, counters };
}

/** A TCP server that says `answer`, byte for byte, to the first bytes of every request, then does `after`. */
export async function serveRaw(
  answer: string | Buffer,
  after: (socket: Socket) => void = () => undefined,
): Promise<Omit<WireServer, "requests">> {
  return await listen((socket) => {
    socket.on("data", () => socket.write(answer, () => after(socket)));
  });
}

/** Polls until `condition` holds; the test's own time-out is the deadline. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
