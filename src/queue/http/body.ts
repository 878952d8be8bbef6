import type { IncomingMessage } from "node:http";
import { RequestProblem } from "./problem.ts";

/** What all requests together may hold in memory before they are stored. */
const budgetBytes = 16 * 1024 * 1024;

/** Reads bodies, each within its limit and all within a budget. */
export class BodyReader {
  private readonly maxBytes: number;
  private held = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** @throws RequestProblem 413 too large, 503 too many at once; 400 when the client broke off */
  read(request: IncomingMessage): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const declared = Number(request.headers["content-length"] ?? 0);
      if (declared > this.maxBytes) {
        reject(this.tooLarge());
        return;
      }
      let first: Buffer | undefined;
      let rest: Buffer[] | undefined;
      let bytes = 0;
      let isSettled = false;
      const settle = (how: () => void): void => {
        if (isSettled) return;
        isSettled = true;
        this.held -= bytes;
        how();
      };
      request.on("data", (chunk: Buffer) => {
        if (isSettled) return;
        bytes += chunk.length;
        this.held += chunk.length;
        if (bytes > this.maxBytes) settle(() => reject(this.tooLarge()));
        else if (this.held > budgetBytes) settle(() => reject(overloaded()));
        else if (first === undefined) first = chunk;
        else if (rest === undefined) rest = [first, chunk];
        else rest.push(chunk);
      });
      request.on("end", () =>
        settle(() => resolve(rest === undefined ? (first ?? empty) : Buffer.concat(rest))),
      );
      request.on("close", () => settle(() => reject(new RequestProblem(400, "the request was broken off"))));
    });
  }

  private tooLarge(): RequestProblem {
    // The rest of it is not worth reading.
    return new RequestProblem(413, `a body may have ${this.maxBytes} bytes at most`, { Connection: "close" });
  }
}

const empty = Buffer.alloc(0);

function overloaded(): RequestProblem {
  return new RequestProblem(503, "too much is being sent at once", {
    "Retry-After": "1",
    Connection: "close",
  });
}
