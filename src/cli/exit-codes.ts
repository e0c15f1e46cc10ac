/** Exit codes of every command (docs/cli.md), and the one place that turns an error into one. */
import { type ErrorCode, WildfireError } from '../errors.ts';

/** Done, and the result is good. */
export const EXIT_OK = 0;
/** Ran, but the result is bad: a goal missed, a test failed. */
export const EXIT_BAD_RESULT = 1;
/** Bad usage or configuration. */
export const EXIT_USAGE = 2;
/** A needed port, file or model is missing. */
export const EXIT_MISSING = 3;

const EXIT_BY_CODE: Partial<Record<ErrorCode, number>> = {
  CONFIG_INVALID: EXIT_USAGE,
  USAGE_INVALID: EXIT_USAGE,
  AUDIO_INVALID: EXIT_USAGE,
  MODEL_MISSING: EXIT_MISSING,
  MODEL_DAMAGED: EXIT_MISSING,
  WORKER_WARMUP: EXIT_MISSING,
  PORT_IN_USE: EXIT_MISSING,
  PORT_POOL_EMPTY: EXIT_MISSING,
  STORE_UNAVAILABLE: EXIT_MISSING,
  STORE_DAMAGED: EXIT_MISSING,
  STORE_NEWER: EXIT_MISSING,
};

/**
 * Prints an error for a person and gives the exit code. A WildfireError is the user's to mend and shows no stack
 * trace; anything else is a fault of ours and does.
 */
export function reportError(error: unknown): number {
  if (error instanceof WildfireError) {
    for (const line of error.message.split('\n')) console.error(`wildfire: ${line}`);
    return EXIT_BY_CODE[error.code] ?? EXIT_BAD_RESULT;
  }
  console.error('wildfire: internal error; please report it with the lines below');
  console.error(error);
  return EXIT_BAD_RESULT;
}
