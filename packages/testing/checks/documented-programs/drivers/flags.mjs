import assert from "node:assert/strict";
import { newParserIsOn } from "./openfeature.js";
import { listFeatures } from "./resolve.js";

assert.equal(await newParserIsOn(), true);
const listed = listFeatures({ new_parser: true }, { MY_APP_FEATURE_COLOUR_OUTPUT: "false" });
assert.ok(
  listed.some((line) => /^new_parser under_development true /.test(line)),
  `${listed}`,
);
assert.ok(
  listed.some((line) => /^colour_output stable false /.test(line)),
  `${listed}`,
);
