/**
 * Structured log lines on stderr. Caller speech and numbers appear only in fields whose key starts with `pii`,
 * and those are removed unless the level is debug or lower. Thread: main (workers report through messages).
 */
import { pino } from 'pino';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A log that writes one JSON object per line to stderr. */
export function createLog(level: LogLevel): Log {
  const keepsPersonal = level === 'debug' || level === 'trace';
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => (keepsPersonal ? fields : withoutPersonal(fields)),
      },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}

function withoutPersonal(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => !key.startsWith('pii')));
}
