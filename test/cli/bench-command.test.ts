/** `wildfire bench` as a user runs it: names, mistakes, the JSON document. */
import { describe, expect, it } from 'vitest';
import { expectMistake, wildfire } from './wildfire.ts';

describe('bench', () => {
  it('lists the benches without a name and with --list', async () => {
    const bare = await wildfire(['bench']);
    expect(bare.exitCode).toBe(0);
    expect(bare.stdout).toContain('  models/cost\n');
    expect(bare.stdout).toMatch(/media\/waiting {2}\(prints only\)/);
    const listed = JSON.parse((await wildfire(['bench', '--list', '--json'])).stdout);
    expect(listed.benches).toContain('models/cost');
  });

  it.each([
    ['an unknown name', ['modles'], [/no bench is named like "modles"; did you mean "models"/]],
    ['an unknown part', ['models', '--only', 'cots'], [/did you mean "cost"/]],
    ['no number', ['models', '--limit', 'few'], [/--limit/, /whole number/]],
  ])('%s exits 2', async (_name, args, patterns) => {
    expectMistake(await wildfire(['bench', ...args]), 2, patterns);
  });

  it('exits 3 when there is no such pack, and still prints one document', async () => {
    const run = await wildfire(['bench', 'models/cost', '--pack', '/no/such/pack', '--json']);
    expect(run.exitCode, run.stderr).toBe(3);
    expect(JSON.parse(run.stdout).results).toEqual([]);
    expect(run.stderr).toMatch(/no\/such\/pack/);
  });
});
