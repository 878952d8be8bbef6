/** A small HTTP proxy: CONNECT tunnels and absolute-form requests, each to one fixed port of loopback. */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect, type Socket } from "node:net";
import { listen, type TlsMaterial, type WireServer } from "./device-client-wire-server.ts";

export interface ProxyFixture extends Omit<WireServer, "requests"> {
  /** First lines of what it was asked, with the credentials that came along. */
  readonly asked: { readonly line: string; readonly authorization: string | undefined }[];
}

export async function serveProxy(options: {
  readonly targetPort: number;
  readonly tls?: TlsMaterial;
  /** Refuses everything with this status. */
  readonly refuse?: number;
  /** Accepts CONNECT but never answers. */
  readonly hang?: boolean;
}): Promise<ProxyFixture> {
  const asked: ProxyFixture["asked"] = [];
  const note = (request: IncomingMessage): void => {
    const authorization = request.headers["proxy-authorization"];
    asked.push({ line: `${request.method} ${request.url}`, authorization });
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    note(request);
    if (options.refuse !== undefined) {
      response.writeHead(options.refuse).end();
      return;
    }
    const { method, headers } = request;
    const path = new URL(request.url ?? "").href.replace(/^http:\/\/[^/]+/, "");
    const onward = httpRequest({ port: options.targetPort, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  };
  const onConnect = (request: IncomingMessage, socket: Socket): void => {
    note(request);
    if (options.hang) return;
    if (options.refuse !== undefined) {
      socket.end(`HTTP/1.1 ${options.refuse} No\r\n\r\n`);
      return;
    }
    const onward = connect(options.targetPort, "127.0.0.1");
    onward.on("error", () => socket.destroy());
    socket.on("error", () => onward.destroy());
    socket.on("close", () => onward.destroy());
    socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    socket.pipe(onward).pipe(socket);
  };
  const server =
    options.tls === undefined ? createServer(onRequest) : createTlsServer(options.tls, onRequest);
  server.on("connect", onConnect);
  const scheme = options.tls === undefined ? "http" : "https";
  const listening = await listen((socket) => server.emit("connection", socket));
  return { ...listening, url: `${scheme}://127.0.0.1:${listening.port}`, asked };
}
