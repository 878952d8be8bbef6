import { expect, test } from "vitest";
import { describeError, InvariantError } from "../../../src/core/errors.ts";

test("an error and its causes are one line, in which nothing is said twice", () => {
  const refused = new TypeError("connect ECONNREFUSED 127.0.0.1:1");
  const read = new InvariantError("read: connect ECONNREFUSED 127.0.0.1:1", { cause: refused });
  expect(describeError(read)).toBe("read: connect ECONNREFUSED 127.0.0.1:1");
  const start = new InvariantError("no check-in", { cause: read });
  expect(describeError(start)).toBe("no check-in: read: connect ECONNREFUSED 127.0.0.1:1");
  expect(describeError(new InvariantError("a", { cause: "b" }))).toBe("a: b");
});
