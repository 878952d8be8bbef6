import type { IncomingMessage } from "node:http";
import { HttpProblem } from "../errors.ts";

/** The client went away before it had sent everything. */
export class ClientGone extends HttpProblem {
  constructor() {
    super(400, "the client went away");
  }
}

/**
 * Reads a whole body.
 *
 * @throws HttpProblem 413 beyond `maxBytes`; ClientGone when the client hangs up
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const tooLarge = () => reject(new HttpProblem(413, `the body exceeds ${maxBytes} bytes`));
    if (Number(request.headers["content-length"] ?? 0) > maxBytes) return tooLarge();
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) {
        request.removeAllListeners("data");
        request.pause();
        return tooLarge();
      }
      chunks.push(chunk);
    });
    request.once("end", () => {
      const [only] = chunks;
      resolve(chunks.length === 1 && only ? only : Buffer.concat(chunks, length));
    });
    request.once("error", () => reject(new ClientGone()));
    request.once("close", () => {
      if (!request.complete) reject(new ClientGone());
    });
  });
}
