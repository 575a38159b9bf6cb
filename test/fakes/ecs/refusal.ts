// How ECS says no: an exception of its API, by name, with a message.

export class EcsRefusal extends Error {
  readonly type: string;
  readonly status: number;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(type: string, message: string, fields: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.type = type;
    this.status = type === "ServerException" ? 500 : 400;
    this.fields = fields;
  }
}

export const clientError = (message: string) => new EcsRefusal("ClientException", message);

export const badParameter = (message: string) =>
  new EcsRefusal("InvalidParameterException", message);
