/** TLS before a server that speaks none: what comes in over TLS goes on to a port of loopback as it is. */
import { type AddressInfo, connect } from "node:net";
import { createServer, type TlsOptions } from "node:tls";

export interface TlsFront extends AsyncDisposable {
  readonly port: number;
}

export async function openTlsFront(targetPort: number, options: TlsOptions): Promise<TlsFront> {
  const server = createServer(options, (secure) => {
    const onward = connect(targetPort, "127.0.0.1");
    onward.on("error", () => secure.destroy());
    secure.on("error", () => onward.destroy());
    secure.on("close", () => onward.destroy());
    secure.pipe(onward).pipe(secure);
  });
  // A client that does not like the certificate hangs up: that is its right.
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
