// An agent lives as long as one job, most for seconds. V8 would spend a third of such an agent's time on a second,
// better compilation of the HTTP parser (WebAssembly); with this budget only those that read gigabytes get one.
// To be imported before anything that speaks HTTP.

import { setFlagsFromString } from "node:v8";

setFlagsFromString("--wasm-tiering-budget=100000000");
