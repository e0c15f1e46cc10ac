/** The shape of the code: file and function sizes, headers, READMEs, one onnxruntime-node. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REPOSITORY_ROOT, SOURCE_ROOT, sourceFiles } from './source-files.ts';

const FILE_CEILING_LINES = 400;

describe('the shape of the code', () => {
  it.each(sourceFiles('.ts').map((file) => relative(REPOSITORY_ROOT, file)))(
    '%s is small and says what it is',
    (file) => {
      const text = readFileSync(join(REPOSITORY_ROOT, file), 'utf8');
      expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(FILE_CEILING_LINES);
      expect(text.startsWith('/**')).toBe(true);
      expect(text).not.toMatch(/export default/);
    },
  );

  it('has no folder where taste ends', () => {
    const bad = sourceFiles('.ts').filter((file) =>
      /\b(utils?|helpers?|managers?|misc|common)\b/i.test(relative(SOURCE_ROOT, file)),
    );
    expect(bad).toEqual([]);
  });

  it('explains every source folder in a README', () => {
    const folders = readdirSync(SOURCE_ROOT, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const silent = folders.filter((entry) => !existsSync(join(SOURCE_ROOT, entry.name, 'README.md')));
    expect(silent.map((entry) => entry.name)).toEqual([]);
  });

  it('has living links in its documents', () => {
    const documents = [
      join(REPOSITORY_ROOT, 'README.md'),
      ...sourceFiles('.md', join(REPOSITORY_ROOT, 'docs')),
      ...sourceFiles('.md'),
    ];
    const dead = documents.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
        .map((match) => match[1] ?? '')
        .filter((link) => !existsSync(resolve(dirname(file), link)))
        .map((link) => `${relative(REPOSITORY_ROOT, file)} -> ${link}`),
    );
    expect(dead).toEqual([]);
  });

  it('installs one onnxruntime-node: two copies in one process crash', () => {
    const lock = JSON.parse(readFileSync(join(REPOSITORY_ROOT, 'package-lock.json'), 'utf8'));
    const copies = Object.keys(lock.packages).filter((path) =>
      path.endsWith('node_modules/onnxruntime-node'),
    );
    expect(copies).toEqual(['node_modules/onnxruntime-node']);
  });
});
