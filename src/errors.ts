/**
 * The one error type. Users and callers match `code`, never the message.
 * Thread: any. May be imported by every folder; imports nothing.
 */

/** Stable words; documented in docs/errors.md. A new failure gets a new word here, nowhere else. */
export type ErrorCode =
  | 'CONFIG_INVALID'
  | 'USAGE_INVALID'
  | 'MODEL_MISSING'
  | 'MODEL_DAMAGED'
  | 'PORT_IN_USE'
  | 'PORT_POOL_EMPTY'
  | 'INVALID_STATE'
  | 'SIP_TIMEOUT'
  | 'SIP_TRANSPORT'
  | 'SIP_REJECTED'
  | 'SDP_INVALID'
  | 'SDP_NO_COMMON_CODEC'
  | 'ADMISSION_REFUSED'
  | 'WORKER_DIED'
  | 'WORKER_WARMUP'
  | 'INFERENCE_FAILED'
  | 'AUDIO_INVALID'
  | 'STORE_UNAVAILABLE'
  | 'STORE_DAMAGED'
  | 'STORE_NEWER';

export interface WildfireErrorOptions {
  /** Whether the same request may succeed when tried again. Default false. */
  readonly retryable?: boolean;
  /** Plain data for the log: file, port, pack. Never caller speech or numbers. */
  readonly context?: Readonly<Record<string, string | number | boolean>>;
  readonly cause?: unknown;
}

/** An error as plain data, as it crosses a thread border (structured clone drops subclasses). */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
}

export class WildfireError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly context: Readonly<Record<string, string | number | boolean>>;

  constructor(code: ErrorCode, message: string, options: WildfireErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'WildfireError';
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.context = options.context ?? {};
  }

  static fromWire(wire: WireError): WildfireError {
    return new WildfireError(wire.code, wire.message, { retryable: wire.retryable });
  }
}

/** Turns anything thrown into plain data; an unknown error becomes `fallback`, not retryable. */
export function toWireError(thrown: unknown, fallback: ErrorCode): WireError {
  if (thrown instanceof WildfireError) {
    return { code: thrown.code, message: thrown.message, retryable: thrown.retryable };
  }
  return { code: fallback, message: messageOf(thrown), retryable: false };
}

/** The message of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
