import fc from "fast-check";
import { expect, test } from "vitest";
import type { Message } from "../../../../src/emulator/cluster/message.ts";
import { parsePayload, toPayloads } from "../../../../src/emulator/store/postgres/payloads.ts";

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    kind: fc.constant("values" as const),
    clientId: fc.nat(),
    aliases: fc.array(fc.string({ unit: "binary", maxLength: 300 }), { maxLength: 6 }),
    by: fc.constantFrom("device" as const, "owner" as const, "server" as const),
  }),
  fc.record({ kind: fc.constant("seen" as const), clientIds: fc.array(fc.nat(), { maxLength: 500 }) }),
  fc.record({ kind: fc.constant("rollout" as const), id: fc.string() }),
);

test("messages arrive as they were, in order, in payloads that PostgreSQL takes", () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 30 }), (messages) => {
      const payloads = toPayloads("me", messages);
      for (const payload of payloads) expect(Buffer.byteLength(payload)).toBeLessThan(8_000);
      expect(payloads.flatMap((payload) => parsePayload(payload)?.messages ?? [])).toEqual(messages);
    }),
    { numRuns: 50 },
  );
});

test("a message too long for any payload says that everything may have changed", () => {
  const long: Message = { kind: "values", clientId: 1, aliases: ["a".repeat(9_000)], by: "device" };
  const [payload = ""] = toPayloads("me", [long]);
  expect(parsePayload(payload)).toEqual({ from: "me", messages: [{ kind: "everything" }] });
});

test("what no emulator sends is no payload", () => {
  for (const text of ["", "{", "1", '{"from":"x"}', '{"from":"x","messages":[{"kind":"odd"}]}']) {
    expect(parsePayload(text)).toBeUndefined();
  }
});
