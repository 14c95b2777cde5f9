import { setFlagsFromString } from "node:v8";

// As `countersign gateway` and `countersign proxy` do, before anything else is loaded.
setFlagsFromString("--semi-space-growth-factor=1");
