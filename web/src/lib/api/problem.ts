import type { components } from './schema';

type Document = components['schemas']['ProblemDocument'];
/** The server's codes, and one for when nobody answered. */
export type Code = components['schemas']['Code'] | 'offline';

/** Something that did not work, as the server says it. */
export class Problem extends Error {
  readonly code: Code;
  readonly status: number;
  /** What can be done about it, as the server says it to whoever runs it. */
  readonly hint: string | null;
  /** The request, as the server's log names it. */
  readonly requestId: string | null;
  /** More that goes with the code. */
  readonly document: Record<string, unknown>;

  private constructor(code: Code, status: number, detail: string, document: Partial<Document>) {
    super(detail);
    this.name = 'Problem';
    this.code = code;
    this.status = status;
    this.hint = document.hint ?? null;
    this.requestId = document.request_id ?? null;
    this.document = document;
  }

  /** Nobody answered. */
  static offline(cause: unknown): Problem {
    return new Problem('offline', 0, cause instanceof Error ? cause.message : String(cause), {});
  }

  /** What the server answered. */
  static of(body: unknown, response: Response): Problem {
    const document = (typeof body === 'object' && body !== null ? body : {}) as Partial<Document>;
    const code = document.code ?? 'internal';
    return new Problem(code, response.status, document.detail ?? response.statusText, document);
  }

  /** Whatever was thrown, as a problem. */
  static from(thrown: unknown): Problem {
    if (thrown instanceof Problem) return thrown;
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    return new Problem('internal', 0, detail, {});
  }
}
