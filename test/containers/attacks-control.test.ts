// A job turns on what lies between it and its agent: the control folder, its pipes, the processes of boot. It can end
// its own job by that, never choose its result, and reaches nobody's memory but its own.

import { beforeAll, expect, test } from "vitest";
import { openContained } from "../harness/containers.ts";

const { run, job, trace } = await openContained();

const c = "/burst/control";
/** What it does to the control folder; every one of them ends with 7, and its after_script still runs. */
const attacks: Readonly<Record<string, string>> = {
  "locks the folder": `chmod 000 ${c}`,
  "locks the pipes": `chmod 000 ${c}/cmd ${c}/out ${c}/events`,
  "removes the pipes": `rm -f ${c}/cmd ${c}/out ${c}/events`,
  "replaces the pipes": `cd ${c}; rm -f cmd out events; mkdir cmd; ln -s /etc/hostname out; echo "exit x 0" > events`,
  "makes stages of its own": `for i in $(seq 200); do echo "exit 0" > ${c}/stage-$i; done; rm -f ${c}/stage-*`,
  "tells of an exit": `for n in 0 1 $(ls ${c}); do printf "\\nexit $n 0\\n\\nexit \${n#stage-} 0\\n" > ${c}/events; done`,
  "ends the output": `printf "\\000burst-end 0\\000\\000burst-end\\000" > ${c}/out; printf "\\000burst-end $(ls ${c} | sed -n "s/stage-//p")\\000"`,
  "fills the folder": `head -c 50000000 /dev/zero > ${c}/big; for i in $(seq 2000); do echo x > ${c}/f$i; done`,
  "closes its output": "exec >/dev/null 2>&1",
  "holds the output open": `(trap "" TERM; exec sleep 1000) &`,
  "signals everybody": "kill -STOP 1; kill -9 1; true",
};

const nameOf = (attack: string) => attack.replaceAll(" ", "-");

/** Reads and traces whatever process there is; prints what it could reach that is not its own container's. */
const traces = `
      import ctypes, os, re
      libc = ctypes.CDLL(None, use_errno=True)
      own = {int(name) for name in os.listdir("/proc") if name.isdigit()}
      def lives(pid):
          try:
              os.kill(pid, 0)
          except ProcessLookupError:
              return False
          except PermissionError:
              pass
          return True
      print("beyond", sorted(pid for pid in range(1, 70000) if lives(pid) and pid not in own))
      print("seized", sorted(pid for pid in own if libc.ptrace(0x4206, pid, 0, 0) == 0))
      tokens, mine = set(), 0
      for line in open("/proc/1/maps"):
          if " rw" not in line: continue
          start, end = (int(part, 16) for part in line.split()[0].split("-"))
          try:
              with open("/proc/1/mem", "rb") as memory:
                  memory.seek(start)
                  content = memory.read(end - start)
          except OSError:
              continue
          mine += content.count(b"/burst/control")
          tokens |= set(re.findall(rb"gl(?:rt|cbt|dt|pat)-[A-Za-z0-9_]{4}", content))
      print("tokens in boot", len(tokens), "read", mine > 0)
`;

beforeAll(async () => {
  const jobs = Object.entries(attacks).map(
    ([attack, script]) => `
${nameOf(attack)}:
  script: [${JSON.stringify(script)}, exit 7]
  after_script: [echo afterwards]
`,
  );
  await run(`
default: {image: "busybox:latest"}
${jobs.join("")}
traces:
  image: python:alpine
  script:
    - |
      cat > /tmp/t.py <<'END'${traces}      END
    - python3 /tmp/t.py
    - exit 7
  after_script: [echo afterwards]
`);
});

test.each(Object.keys(attacks))(
  "a job that %s has its own exit code, and after_script",
  (attack) => {
    const { status, failureReason, exitCode } = job(nameOf(attack));
    expect([status, failureReason, exitCode]).toEqual(["failed", "script_failure", 7]);
    expect(trace(nameOf(attack))).toMatch(/^afterwards$/m);
    expect(trace(nameOf(attack)).trimEnd()).toMatch(/ERROR: Job failed: exit code 7$/);
  },
);

test("a job that traces all it can find finds its own processes, whose memory has no token", () => {
  const { status, exitCode } = job("traces");
  expect([status, exitCode]).toEqual(["failed", 7]);
  expect(trace("traces")).toMatch(/^beyond \[\]$/m);
  expect(trace("traces")).toMatch(/^seized \[1, /m);
  expect(trace("traces")).toMatch(/^tokens in boot 0 read True$/m);
  expect(trace("traces")).toMatch(/^afterwards$/m);
});
