import type { Server } from "node:http";

/**
 * Has a server look for requests that take too long only while somebody is connected: Node does so every
 * `connectionsCheckingInterval`, for as long as the server listens, and each look wakes a process that could sleep. To be
 * called before it listens. A Node that keeps its timer elsewhere goes on looking.
 */
export function restWhileAlone(server: Server): void {
  let connections = 0;
  const rest = (): void => {
    if (connections > 0) return;
    const key = Object.getOwnPropertySymbols(server).find(
      ({ description }) => description === "http.server.connectionsCheckingInterval",
    );
    if (key !== undefined) clearInterval(Reflect.get(server, key) as NodeJS.Timeout | undefined);
  };
  server.on("listening", rest);
  server.on("connection", (socket) => {
    connections += 1;
    // What Node begins its looks with.
    if (connections === 1) server.emit("listening");
    socket.once("close", () => {
      connections -= 1;
      rest();
    });
  });
}
