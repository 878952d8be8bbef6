import type { IncomingMessage } from "node:http";
import { RequestProblem } from "./problem.ts";

/** What all requests together may hold in memory before they are stored. */
const leastBudgetBytes = 16 * 1024 * 1024;

/** Reads bodies, each within its limit and all within a budget. */
export class BodyReader {
  private readonly maxBytes: number;
  private readonly budgetBytes: number;
  private held = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
    // A body that is allowed must pass when it comes alone.
    this.budgetBytes = Math.max(leastBudgetBytes, maxBytes);
  }

  /**
   * Hands the whole body to `use`, or why there is none to `fail`: RequestProblem 413 too large, 503 too many at once,
   * 400 when the client broke off. By callbacks, for it is on the way of every write: see docs/performance.md.
   */
  read(request: IncomingMessage, use: (body: Buffer) => void, fail: (error: unknown) => void): void {
    const declared = Number(request.headers["content-length"] ?? 0);
    if (declared > this.maxBytes) {
      fail(this.tooLarge());
      return;
    }
    let body: Buffer | Buffer[] = empty;
    let bytes = 0;
    let isSettled = false;
    const giveUp = (problem: RequestProblem): void => {
      isSettled = true;
      this.held -= bytes;
      fail(problem);
    };
    request.on("data", (chunk: Buffer) => {
      if (isSettled) return;
      bytes += chunk.length;
      this.held += chunk.length;
      if (bytes > this.maxBytes) giveUp(this.tooLarge());
      else if (this.held > this.budgetBytes) giveUp(overloaded());
      else if (body === empty) body = chunk;
      else if (Array.isArray(body)) body.push(chunk);
      else body = [body, chunk];
    });
    request.on("end", () => {
      if (isSettled) return;
      isSettled = true;
      this.held -= bytes;
      use(Array.isArray(body) ? Buffer.concat(body) : body);
    });
    request.on("close", () => {
      if (!isSettled) giveUp(new RequestProblem(400, "the request was broken off"));
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
