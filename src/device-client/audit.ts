import type { Procedure } from "./api.ts";

/** One HTTP exchange as the wire saw it, failed ones included. A repeated request is one exchange each time. */
export interface AuditedExchange {
  /** From the client's identity: for whom the bytes flowed. */
  readonly consumer: string | undefined;
  readonly procedure: Procedure;
  /** Undefined when no answer came. */
  readonly status: number | undefined;
  /**
   * Bytes of TCP payload in each direction: HTTP, TLS (handshake included) and a proxy's CONNECT. What a kept-alive
   * connection carries between two exchanges counts to the later one; only TLS's goodbye after the last one (about
   * 30 bytes) is counted to none.
   */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** From the call to the last byte of the body, or to the failure. */
  readonly durationMs: number;
  /** This end's IP address: tells the network interface. Undefined when no connection came about. */
  readonly localAddress: string | undefined;
  /** False when this exchange had to open (or try to open) a connection of its own. */
  readonly reusedConnection: boolean;
}

/** Called once for each exchange, when it has ended. Must not throw: nobody is there to catch it. */
export type Audit = (exchange: AuditedExchange) => void;
