import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  isWebPage,
  parseContentRange,
  parseHttpDate,
  parseLastModified,
  parseRetryAfter,
  parseUnsatisfiedRange,
} from "../../../src/device-client/http-values.ts";

const serverTimeMs = Date.UTC(2024, 0, 1, 12, 0, 0);

describe("header values", () => {
  test("an HTTP date is read to the second, whatever the year", () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date("2099-12-31"), noInvalidDate: true }), (date) => {
        expect(parseHttpDate(date.toUTCString())).toBe(Math.floor(date.getTime() / 1000) * 1000);
      }),
    );
  });

  test.each(["", "yesterday", "1700000000", "Sun Nov  6 08:49:37 1994", "2024-01-01T00:00:00Z", null])(
    "%j is no HTTP date",
    (text) => {
      expect(parseHttpDate(text)).toBeUndefined();
    },
  );

  test.each([
    ["1700000000", 1_700_000_000_000],
    ["1700000000.25", 1_700_000_000_250],
    ["Mon, 01 Jan 2024 12:00:00 GMT", serverTimeMs],
    ["soon", undefined],
  ])("Last-Modified %j is %j", (text, expected) => {
    expect(parseLastModified(text)).toBe(expected);
  });

  test.each([
    ["120", 120_000],
    ["0", 0],
    ["Mon, 01 Jan 2024 12:01:30 GMT", 90_000],
    ["Mon, 01 Jan 2024 11:00:00 GMT", 0],
    ["-5", undefined],
    ["later", undefined],
  ])("Retry-After %j is %j ms", (text, expected) => {
    expect(parseRetryAfter(text, serverTimeMs)).toBe(expected);
  });

  test("a Retry-After date means nothing without the server's own time", () => {
    expect(parseRetryAfter("Mon, 01 Jan 2024 12:01:30 GMT", undefined)).toBeUndefined();
  });

  test.each([
    ["bytes 5-9/10", { first: 5, last: 9, totalBytes: 10 }],
    ["bytes 0-0/*", { first: 0, last: 0, totalBytes: undefined }],
    ["bytes 9-5/10", undefined],
    ["bytes 5-10/10", undefined],
    ["bytes */10", undefined],
    ["5-9/10", undefined],
  ])("Content-Range %j", (text, expected) => {
    expect(parseContentRange(text)).toEqual(expected);
  });

  test("the range of a 416 tells the total", () => {
    expect(parseUnsatisfiedRange("bytes */42")).toBe(42);
    expect(parseUnsatisfiedRange("bytes 0-1/42")).toBeUndefined();
  });

  test.each([
    ["text/html; charset=utf-8", "a=1", true],
    [null, " \n<!DOCTYPE html>", true],
    ["text/plain", "<HTML>", true],
    ["text/plain", "<3=1", false],
    ["application/x-www-form-urlencoded", "a=<html>", false],
  ])("content type %j with body %j: a web page? %j", (contentType, text, expected) => {
    expect(isWebPage(contentType, text)).toBe(expected);
  });
});
