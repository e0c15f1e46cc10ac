/** The import rules of docs/architecture.md, checked on every file of src/. */
import { readFileSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SOURCE_ROOT, sourceFiles } from './source-files.ts';

interface Import {
  readonly from: string;
  readonly to: string;
  readonly isTypeOnly: boolean;
}

const NATIVE_PACKAGES = [
  'onnxruntime-node',
  'node-llama-cpp',
  'kokoro-js',
  '@huggingface/transformers',
  'phonemizer',
];
const PURE_FOLDERS = ['ring-buffers', 'sdp', 'audio', 'turn'];
const ANYONE_MAY_USE = ['observability', 'errors.ts'];

/** What each folder may import at run time, besides ANYONE_MAY_USE and itself. Arrows go down. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'main.ts': ['cli', 'runtime'],
  runtime: [
    'call',
    'config',
    'control-plane',
    'media',
    'models',
    'observability',
    'ring-buffers',
    'sip',
    'store',
    'turn',
    'web',
    'workers',
  ],
  stress: ['call', 'caller', 'media', 'rtp', 'sdp', 'sip'],
  cli: [
    'stress',
    'call',
    'caller',
    'config',
    'control-plane',
    'models',
    'sip',
    'store',
    'audio',
    'workers',
    'native',
    'media',
  ],
  caller: ['call', 'sip', 'sdp', 'rtp', 'audio', 'media', 'models', 'workers', 'native', 'config'],
  web: ['call', 'store'],
  store: [],
  call: ['sip', 'sdp', 'media', 'turn', 'workers', 'ring-buffers', 'models', 'config', 'audio'],
  'control-plane': ['turn', 'workers', 'ring-buffers', 'audio', 'native'],
  sip: ['sdp'],
  media: ['rtp', 'audio', 'ring-buffers', 'sdp', 'workers'],
  models: [],
  workers: ['ring-buffers', 'audio', 'native', 'models'],
  rtp: ['audio'],
  native: [],
  config: ['turn'],
  sdp: [],
  audio: [],
  turn: ['ring-buffers'],
  'ring-buffers': [],
  observability: [],
  'errors.ts': [],
};

const imports = sourceFiles('.ts').flatMap(importsOf);
const runTimeImports = imports.filter((entry) => !entry.isTypeOnly);

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  const pattern =
    /^\s*(?:import|export)\s+(type\s)?[^'";]*?from\s+'([^']+)'|^\s*import\s+'([^']+)'|import\('([^']+)'\)/gm;
  return [...text.matchAll(pattern)].map((match) => {
    const specifier = match[2] ?? match[3] ?? match[4] ?? '';
    const to = specifier.startsWith('.')
      ? relative(SOURCE_ROOT, resolve(dirname(file), specifier))
      : specifier;
    return { from: relative(SOURCE_ROOT, file), to, isTypeOnly: match[1] !== undefined };
  });
}

function top(path: string): string {
  return path.split(sep)[0] ?? path;
}

function isInternal(entry: Import): boolean {
  return Object.hasOwn(MAY_IMPORT, top(entry.to)) && (entry.to.endsWith('.ts') || entry.to.endsWith('.json'));
}

describe('import rules', () => {
  it('sees the imports at all', () => {
    expect(imports.length).toBeGreaterThan(50);
  });

  it('arrows go down: a folder imports only what stands below it', () => {
    const wrong = runTimeImports.filter(isInternal).filter((entry) => {
      const [from, to] = [top(entry.from), top(entry.to)];
      return from !== to && !ANYONE_MAY_USE.includes(to) && !(MAY_IMPORT[from] ?? []).includes(to);
    });
    expect(wrong).toEqual([]);
  });

  it('every top folder has a rule', () => {
    const unknown = sourceFiles('.ts').map((file) => top(relative(SOURCE_ROOT, file)));
    expect([...new Set(unknown)].filter((folder) => !Object.hasOwn(MAY_IMPORT, folder))).toEqual([]);
  });

  it('pure folders use no I/O, timers or loggers', () => {
    const impure = imports.filter(
      (entry) => PURE_FOLDERS.includes(top(entry.from)) && !entry.isTypeOnly && !isInternal(entry),
    );
    expect(impure).toEqual([]);
    for (const file of sourceFiles('.ts').filter((path) =>
      PURE_FOLDERS.includes(top(relative(SOURCE_ROOT, path))),
    )) {
      expect(readFileSync(file, 'utf8'), file).not.toMatch(
        /\b(setTimeout|setInterval|setImmediate|console\.|process\.)/,
      );
    }
  });

  it('pure RTP files import no I/O', () => {
    const impure = runTimeImports.filter(
      (entry) =>
        top(entry.from) === 'rtp' && !entry.from.endsWith('rtp-socket.ts') && entry.to.startsWith('node:'),
    );
    expect(impure).toEqual([]);
  });

  it('a worker file is imported by nobody, and imports no other side', () => {
    expect(imports.filter((entry) => entry.to.endsWith('.worker.ts'))).toEqual([]);
    const forbidden = ['sip', 'call', 'turn', 'web', 'cli', 'runtime'];
    const wrong = runTimeImports.filter(
      (entry) => entry.from.endsWith('.worker.ts') && forbidden.includes(top(entry.to)),
    );
    expect(wrong).toEqual([]);
  });

  it('native packages are imported by native/ and *-model.ts only', () => {
    const wrong = runTimeImports.filter(
      (entry) =>
        NATIVE_PACKAGES.some((name) => entry.to === name || entry.to.startsWith(`${name}/`)) &&
        top(entry.from) !== 'native' &&
        !entry.from.endsWith('-model.ts'),
    );
    expect(wrong).toEqual([]);
  });

  it('only config/ reads the environment', () => {
    const readers = sourceFiles('.ts').filter(
      (file) =>
        top(relative(SOURCE_ROOT, file)) !== 'config' && /process\.env\b/.test(readFileSync(file, 'utf8')),
    );
    expect(readers).toEqual([]);
  });

  it('has no cycle between folders', () => {
    const edges = new Map<string, Set<string>>();
    for (const entry of runTimeImports.filter(isInternal)) {
      const [from, to] = [top(entry.from), top(entry.to)];
      if (from !== to) edges.set(from, (edges.get(from) ?? new Set()).add(to));
    }
    const visit = (folder: string, path: readonly string[]): void => {
      expect(path, `cycle ${[...path, folder].join(' -> ')}`).not.toContain(folder);
      for (const next of edges.get(folder) ?? []) visit(next, [...path, folder]);
    };
    for (const folder of edges.keys()) visit(folder, []);
  });
});
