import { Pm2CallError, Pm2TimeoutError, Pm2UnavailableError } from "../errors.ts";

/** One open connection to pm2's daemon. */
export interface Pm2Connection {
  /** @throws Pm2TimeoutError, Pm2CallError, or Pm2UnavailableError when the connection broke meanwhile */
  call(method: string, argument: unknown, timeoutMs: number): Promise<unknown>;
  close(): void;
}

/**
 * Connects to pm2's socket without pm2's own `connect()`, which starts a second daemon when it races the first.
 *
 * @param onClosed called once when the connection breaks without our doing
 * @throws Pm2UnavailableError when nothing accepts the connection within `timeoutMs`
 */
export async function connectPm2(
  socketFile: string,
  timeoutMs: number,
  onClosed: () => void,
): Promise<Pm2Connection> {
  // Late: 2 MB that a command which never talks to pm2 should not pay.
  const [{ default: axon }, { default: rpc }] = await Promise.all([
    import("pm2-axon"),
    import("pm2-axon-rpc"),
  ]);
  const socket = axon.socket("req");
  // Reconnecting is ours to decide: who runs the daemon must be settled first.
  socket.set("retry timeout", 0);
  const waiting = new Set<(error: Error) => void>();
  let closing = false;
  await new Promise<void>((resolve, reject) => {
    let connected = false;
    let lastError: Error | undefined;
    const fail = (): void => {
      clearTimeout(timer);
      socket.close();
      reject(
        new Pm2UnavailableError("pm2's daemon does not accept connections", {
          context: { socketFile },
          cause: lastError,
        }),
      );
    };
    const timer = setTimeout(fail, timeoutMs);
    const note = (error: Error): void => {
      lastError = error;
    };
    socket.on("error", note);
    socket.on("socket error", note);
    socket.on("connect", () => {
      connected = true;
      clearTimeout(timer);
      resolve();
    });
    socket.on("close", () => {
      if (!connected) return fail();
      for (const give of waiting) {
        give(new Pm2UnavailableError("pm2's daemon went away", { context: { socketFile } }));
      }
      if (!closing) onClosed();
      closing = true;
    });
    socket.connect(socketFile);
  });
  const client = new rpc.Client(socket);
  return {
    call: (method, argument, callTimeoutMs) =>
      new Promise((resolve, reject) => {
        const known = new Set(Object.keys(socket.callbacks));
        const settle = (finish: () => void): void => {
          clearTimeout(timer);
          waiting.delete(give);
          finish();
        };
        const give = (error: Error): void => settle(() => reject(error));
        const timer = setTimeout(() => {
          // An answer that never comes would keep its callback for ever.
          if (id !== undefined) delete socket.callbacks[id];
          give(
            new Pm2TimeoutError("pm2's daemon did not answer", {
              context: { method, timeoutMs: callTimeoutMs },
            }),
          );
        }, callTimeoutMs);
        waiting.add(give);
        client.call(method, argument, (error, result) => {
          if (error === null || error === undefined) settle(() => resolve(result));
          else give(new Pm2CallError(`pm2 refused ${method}`, { context: { method }, cause: error }));
        });
        const id = Object.keys(socket.callbacks).find((key) => !known.has(key));
      }),
    close: () => {
      closing = true;
      socket.close();
    },
  };
}
