import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { ConflictError, MalformedAnswerError, RejectedError } from "../../../src/device-client/index.ts";
import { answer, cik, connect, rejection } from "../../support/device-client-fixtures.ts";
import { serve } from "../../support/device-client-wire-server.ts";

const text = { "Content-Type": "text/plain" };
const csv = { "Content-Type": "text/csv; charset=utf-8" };

describe("activate", () => {
  test.each([
    [{ vendor: "p&1", model: "p&1", sn: "00:11 22" }, "vendor=p%261&model=p%261&sn=00%3A11%2022"],
    [{ id: "serial" }, "id=serial"],
  ])("%j resolves to the CIK and sends none", async (request, body) => {
    const server = await serve((_request, response) => answer(response, 200, `${cik}\r\n`, text));
    expect(await connect(server.url).client.activate(request)).toBe(cik);
    expect(server.requests[0]).toMatchObject({ method: "POST", url: "/provision/activate", body });
    expect(server.requests[0]?.headers).not.toHaveProperty("x-exosite-cik");
  });

  test.each([
    ["39 characters", cik.slice(1)],
    ["41 characters", `${cik}x`],
    ["two CIKs", `${cik}\n${cik}`],
    ["other characters", `${cik.slice(1)}-`],
    ["a page", `<html>${cik}</html>`],
    ["nothing", ""],
  ])("%s is no CIK, and the error keeps it to itself", async (_what, body) => {
    const server = await serve((_request, response) => answer(response, 200, body, text));
    const error = await rejection(connect(server.url).client.activate({ id: "serial" }));
    expect(error).toBeInstanceOf(MalformedAnswerError);
    expect(error).toMatchObject({ answer: undefined });
    expect(inspect(error, { depth: 9 })).not.toContain(cik.slice(1, 20));
  });

  test("409 and 404 are told apart", async () => {
    const statuses = [409, 404];
    const server = await serve((_request, response) => answer(response, statuses.shift() ?? 0, "no", text));
    const { client } = connect(server.url);
    const conflict = await rejection(client.activate({ id: "s" }));
    expect(conflict).toBeInstanceOf(ConflictError);
    expect(conflict).toMatchObject({ timestamps: new Map() });
    expect(await rejection(client.activate({ id: "s" }))).toBeInstanceOf(RejectedError);
  });
});

describe("content", () => {
  test("is listed one id a line", async () => {
    const body = 'meter.v1.2.3.tar.gz\r\n"with, comma"\r\n\r\nbare, comma\n';
    const server = await serve((_request, response) => answer(response, 200, body, csv));
    const ids = await connect(server.url).client.listContent();
    expect(ids).toEqual(["meter.v1.2.3.tar.gz", "with, comma", "bare, comma"]);
    expect(server.requests[0]).toMatchObject({
      method: "GET",
      url: "/provision/download?vendor=pid&model=pid",
    });
    expect(server.requests[0]?.headers).toMatchObject({ "x-exosite-cik": cik });
  });

  test("is none with 204, and refused with 403", async () => {
    const statuses = [204, 403];
    const server = await serve((_request, response) => answer(response, statuses.shift() ?? 0));
    const { client } = connect(server.url);
    expect(await client.listContent()).toEqual([]);
    expect(await rejection(client.listContent())).toBeInstanceOf(RejectedError);
  });

  test.each([
    ["plain", "application/gzip,1234,1700000000,first release", "first release"],
    ["without meta", "application/gzip,1234,1700000000,\r\n", ""],
    ["with no fourth field", "application/gzip,1234,1700000000", ""],
    ["quoted", 'application/gzip,1234,1700000000,"a, ""b""\nc"', 'a, "b"\nc'],
    ["unquoted with commas", "application/gzip,1234,1700000000,a, b,c", "a, b,c"],
    ["badly quoted", 'application/gzip,1234,1700000000,"a" b,c', '"a" b,c'],
  ])("info: meta %s", async (_what, body, meta) => {
    const server = await serve((_request, response) => answer(response, 200, body, csv));
    expect(await connect(server.url).client.contentInfo("a&b.tar.gz")).toEqual({
      id: "a&b.tar.gz",
      contentType: "application/gzip",
      sizeBytes: 1234,
      updatedAt: 1_700_000_000,
      meta,
    });
    expect(server.requests[0]?.url).toBe(
      "/provision/download?vendor=pid&model=pid&id=a%26b.tar.gz&info=true",
    );
  });

  test("info of nothing is a rejection; info that is none is malformed", async () => {
    const bodies = ["", "application/gzip,many,1700000000,x", "OK"];
    const server = await serve((_request, response) => {
      const body = bodies.shift() ?? "";
      answer(response, body === "" ? 204 : 200, body, csv);
    });
    const { client } = connect(server.url);
    expect(await rejection(client.contentInfo("x"))).toMatchObject({ code: "REJECTED", status: 204 });
    expect(await rejection(client.contentInfo("x"))).toBeInstanceOf(MalformedAnswerError);
    expect(await rejection(client.contentInfo("x"))).toBeInstanceOf(MalformedAnswerError);
  });
});

describe("timestamp", () => {
  test("needs no CIK", async () => {
    const server = await serve((_request, response) => answer(response, 200, "1700000000\n", text));
    expect(await connect(server.url, { cik: undefined }).client.timestamp()).toBe(1_700_000_000);
    expect(server.requests[0]).toMatchObject({ method: "GET", url: "/timestamp" });
    expect(server.requests[0]?.headers).not.toHaveProperty("x-exosite-cik");
  });

  test.each(["soon", "-5", "1.5", ""])("%j is none", async (body) => {
    const server = await serve((_request, response) => answer(response, 200, body, text));
    expect(await rejection(connect(server.url).client.timestamp())).toBeInstanceOf(MalformedAnswerError);
  });
});
