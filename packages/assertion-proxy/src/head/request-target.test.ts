import { faultsOfWording } from "@countersign/testing";
import { expect, test } from "vitest";
import { RequestRefusal } from "../refusal/request-refusal.js";
import { checkRequestTarget } from "./request-target.js";

test.each([
  ["TRACE", "/"],
  ["OPTIONS", "*"],
  ["GET", "http://api.example/"],
  ["GET", "//api.example/"],
  ["GET", "/a b"],
  ["GET", "/a/../b"],
])("the refusal of %s %s says why", (method, target) => {
  let thrown: unknown;
  try {
    checkRequestTarget(method, target);
  } catch (error) {
    thrown = error;
  }
  if (!RequestRefusal.is(thrown)) throw thrown;
  expect([thrown.code, faultsOfWording(thrown)]).toEqual(["invalid_request", []]);
});
