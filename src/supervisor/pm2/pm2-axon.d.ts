/** The little of pm2's (untyped) MIT-licensed wire protocol that the adapter uses. */
declare module "pm2-axon" {
  export interface ReqSocket {
    /** Calls that wait for their answer, by id. */
    readonly callbacks: Record<string, unknown>;
    set(name: "retry timeout", value: number): void;
    connect(address: string): void;
    close(): void;
    on(event: "connect" | "close", listener: () => void): void;
    on(event: "error" | "socket error", listener: (error: Error) => void): void;
  }
  const axon: { socket(type: "req"): ReqSocket };
  export default axon;
}

declare module "pm2-axon-rpc" {
  import type { ReqSocket } from "pm2-axon";

  export interface RpcClient {
    call(method: string, argument: unknown, done: (error: unknown, result?: unknown) => void): void;
  }
  const rpc: { Client: new (socket: ReqSocket) => RpcClient };
  export default rpc;
}
