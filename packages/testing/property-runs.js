// Before each file of unit tests, in the quick effort: properties that name no number of runs make a tenth of fast-check's 100.
import { propertyRuns } from "@countersign/testing/effort";
import { configureGlobal } from "fast-check";

configureGlobal({ numRuns: propertyRuns(100) });
