import { describe, expect, it } from "vitest";
import { checkScriptStart } from "../../../src/app-builder/install-script.ts";

const check = (text: string) =>
  checkScriptStart("install.sh", {
    start: Buffer.from(text, "latin1"),
    isExecutable: (program) => program === "/bin/sh",
  });

describe("the first line of install.sh", () => {
  it.each([["#!/bin/sh\n:\n"], ["#! /bin/sh -e\n"], ["#!/bin/sh"], ["\x7fELF\x02"]])("%j is fine", (text) => {
    expect(check(text)).toEqual({ faults: [], warnings: [] });
  });

  it.each([
    ["", "has no '#!' line"],
    ["echo hello\n", "has no '#!' line"],
    ["\n#!/bin/sh\n", "has no '#!' line"],
    ["#!\n/bin/sh\n", "has no '#!' line"],
    ["#!/bin/sh\r\necho\r\n", "has DOS line ends"],
    ["#!/usr/bin/env python3\r\n", "has DOS line ends"],
    ["\xef\xbb\xbf#!/bin/sh\n", "byte order mark"],
    ["#!sh\n", "no absolute path"],
  ])("%j is a fault", (text, fault) => {
    expect(check(text)).toEqual({ faults: [expect.stringContaining(fault)], warnings: [] });
  });

  it.each([
    ["#!/usr/bin/python2\n", '"/usr/bin/python2", which this machine does not have'],
    ["#!/bin/sh\necho a\r\n", "DOS line ends in some lines"],
  ])("%j deserves a warning", (text, warning) => {
    expect(check(text)).toEqual({ faults: [], warnings: [expect.stringContaining(warning)] });
  });
});
