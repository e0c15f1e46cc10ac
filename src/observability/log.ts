/**
 * Structured log lines on stderr. Caller speech and numbers appear only in fields whose key starts with `pii`,
 * and those are removed unless the level is debug or lower. Thread: main (workers report through messages).
 */
import { pino } from 'pino';
import { LineWriter, type LineWriterOptions } from './line-writer.ts';

const STDERR_FD = 2;

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const writers: LineWriter[] = [];
process.on('exit', () => {
  for (const writer of writers) writer.flushSync();
});

/**
 * A log that writes one JSON object per line to stderr, and never waits for who reads it.
 * @param dropped lines found no room, or their write failed; once lines get through again one of them says how many did not
 */
export function createLog(level: LogLevel, dropped: LineWriterOptions['dropped'] = () => {}): Log {
  const keepsPersonal = level === 'debug' || level === 'trace';
  const recovered = (lines: number) =>
    log.warn({ lines }, 'lines of this log were dropped, stderr took no more');
  const writer = new LineWriter(STDERR_FD, { dropped, recovered });
  writers.push(writer);
  const log: Log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => (keepsPersonal ? fields : withoutPersonal(fields)),
      },
    },
    writer,
  );
  return log;
}

function withoutPersonal(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => !key.startsWith('pii')));
}
