// GitLab's trace as a person at a terminal wants it: its colours and titles, without the time stamps and
// section marks, and the time each section took.

/** `2026-01-31T12:00:00.000000Z 01O ` and the flag; see the trace's time stamps. */
const stamp = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) [0-9a-f]{2}[OE]([ +])([^]*)$/;
const mark = /section_(start|end):(\d+):([\w.-]+)(?:\[[^\]]*\])?\r\u001B\[0K/g;

export interface SectionTime {
  readonly name: string;
  readonly seconds: number;
}

export interface TraceView {
  /** Takes a part of the trace; gives the lines that are whole by now. */
  take(bytes: Uint8Array): readonly string[];
  /** The last line, if it had no end. */
  end(): readonly string[];
  readonly sections: readonly SectionTime[];
}

export function createTraceView(): TraceView {
  const decoder = new TextDecoder();
  const begun = new Map<string, number>();
  const sections: SectionTime[] = [];
  let unread = "";
  let line: string | undefined;

  /** Reads the marks out of a line's text, which may hold several. */
  const withoutMarks = (text: string, time: number): string =>
    text.replace(mark, (_whole, edge: string, unixSeconds: string, name: string) => {
      const at = Number.isNaN(time) ? Number(unixSeconds) * 1000 : time;
      const start = begun.get(name);
      if (edge === "start") begun.set(name, at);
      else if (start !== undefined) sections.push({ name, seconds: (at - start) / 1000 });
      return "";
    });

  const read = (raw: string): readonly string[] => {
    const [, time = "", flag = " ", stamped] = stamp.exec(raw) ?? [];
    const text = withoutMarks(stamped ?? raw, Date.parse(time));
    const goesOn = flag === "+" && line !== undefined;
    const whole = goesOn || line === undefined ? [] : [line];
    line = goesOn ? `${line}${text}` : text;
    return whole.filter(isVisible);
  };

  return {
    take(bytes) {
      const lines = (unread + decoder.decode(bytes, { stream: true })).split("\n");
      unread = lines.pop() ?? "";
      return lines.flatMap(read);
    },
    end() {
      const rest = unread === "" ? [] : read(unread);
      const last = line === undefined ? [] : [line].filter(isVisible);
      unread = "";
      line = undefined;
      return [...rest, ...last];
    },
    sections,
  };
}

/** A line that held nothing but marks is no line. */
function isVisible(line: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return line.replaceAll(/\u001B\[[\d;]*[A-Za-z]|\r/g, "") !== "" || line === "";
}
