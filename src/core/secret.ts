// A string that may not be shown: printing, inspecting or serialising it gives "[masked]".
// The value leaves only through `reveal()`, so every place that lets it out can be found by name.

const inspect = Symbol.for("nodejs.util.inspect.custom");

export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself, for the one place that must send or export it. */
  reveal(): string {
    return this.#value;
  }

  get isEmpty(): boolean {
    return this.#value === "";
  }

  toString(): string {
    return "[masked]";
  }

  toJSON(): string {
    return "[masked]";
  }

  [inspect](): string {
    return "[masked]";
  }
}
