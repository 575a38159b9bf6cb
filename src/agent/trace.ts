// The job's trace while it is written: every line masked once, stamped, cut at the limit, then spooled
// for GitLab and mirrored to whoever watches the agent's own output (CloudWatch, a terminal).

import { errorLine, grey, infoLine, plainLine, reset, warningLine } from "../core/colours.ts";
import type { JobLog } from "../core/job-log.ts";
import { createLogLimit } from "../core/log-limit.ts";
import { sectionEnd, sectionStart } from "../core/section.ts";
import { createTraceFilter } from "../core/trace-filter.ts";
import type { Spool } from "./spool.ts";

export interface TraceSettings {
  readonly secrets: readonly string[];
  readonly tokenPrefixes: readonly string[];
  readonly timestamps: boolean;
  /** Whether GitLab folds sections; without, titles are plain lines. */
  readonly sections: boolean;
  readonly limitBytes: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Where one kind of output goes: filters of its own, so that its lines never mix with others'. */
export interface TraceStream {
  write(bytes: Uint8Array): void;
  /** Hands on what the filters held back. The stream takes more afterwards. */
  flush(): void;
}

export interface Trace {
  /** The runner's own lines. */
  readonly log: JobLog;
  /** What scripts print. */
  readonly output: TraceStream;
  startSection(name: string, title: string): void;
  endSection(name: string): void;
  /** Lines of a service, in grey, each under its name. */
  service(name: string, text: string): void;
  /** Bytes that came after the limit and were not kept. */
  readonly droppedBytes: number;
}

const runnersStream = "00O";

export function openTrace(
  spool: Spool,
  mirror: (bytes: Uint8Array) => void,
  settings: TraceSettings,
): Trace {
  const limit = createLogLimit(settings.limitBytes);
  const keep = (bytes: Uint8Array, isOutput: boolean) => {
    const admitted = limit.admit(bytes);
    if (admitted.length === 0) return;
    spool.append(admitted, isOutput);
    // A copy: what was admitted may lie in a buffer that its reader fills again.
    mirror(Uint8Array.from(admitted));
  };
  const openStream = (stream: string): TraceStream => {
    const isOutput = stream !== runnersStream;
    const create = () => createTraceFilter({ ...settings, stream });
    let filter = create();
    return {
      write(bytes) {
        // Past the limit nothing is kept, so nothing has to be looked through.
        if (limit.exceeded) limit.admit(bytes);
        else keep(filter.write(bytes), isOutput);
      },
      flush() {
        keep(filter.close(), isOutput);
        filter = create();
      },
    };
  };

  const runner = openStream(runnersStream);
  const output = openStream("01O");
  const services = new Map<string, TraceStream>();
  const encoder = new TextEncoder();
  const print = (text: string) => runner.write(encoder.encode(text));
  const seconds = () => Math.floor(settings.now() / 1000);

  return {
    log: {
      line: (text) => print(plainLine(text)),
      info: (text) => print(infoLine(text)),
      warning: (text) => print(warningLine(text)),
      error: (text) => print(errorLine(text)),
      output: (bytes) => output.write(bytes),
    },
    output,
    startSection(name, title) {
      if (settings.sections) print(sectionStart(name, seconds(), title));
      else print(plainLine(title));
    },
    endSection(name) {
      output.flush();
      if (settings.sections) print(sectionEnd(name, seconds()));
    },
    service(name, text) {
      let stream = services.get(name);
      if (stream === undefined) {
        stream = openStream(`${(0x0f + services.size).toString(16).padStart(2, "0")}O`);
        services.set(name, stream);
      }
      stream.write(encoder.encode(`${grey}[service:${name}] ${text}${reset}\n`));
    },
    get droppedBytes() {
      return limit.droppedBytes;
    },
  };
}
