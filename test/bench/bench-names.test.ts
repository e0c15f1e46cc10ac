/** Which benches a command line means. */
import { describe, expect, it } from 'vitest';
import { benchNames, chosenBenches } from '../../bench/bench-names.ts';

const names = benchNames();
const folderOf = (name: string) => name.split('/')[0];

describe('a word for benches', () => {
  it.each([
    ['rings', 'ring-buffers'],
    ['sip', 'sip'],
    ['whisper', 'whisper'],
    ['llama', 'llama'],
    ['tts', 'tts'],
    ['media', 'media'],
    ['runtime', 'runtime'],
  ])('%s means those of its folder that give rows', (word, folder) => {
    const chosen = chosenBenches(names, [word], []);
    expect(chosen.length).toBeGreaterThan(0);
    expect([...new Set(chosen.map(folderOf))]).toEqual([folder]);
  });

  it('audio does not mean the first audio of the TTS', () => {
    expect(chosenBenches(names, ['audio'], [])).toEqual(['audio/frame']);
  });

  it('that is only a part of a name means every bench that has it, the printing ones included', () => {
    expect(chosenBenches(names, ['first-au'], [])).toEqual(['tts/first-audio']);
    expect(chosenBenches(names, ['media/wait'], [])).toEqual(['media/waiting']);
    expect(chosenBenches(names, ['media'], [])).not.toContain('media/waiting');
  });

  it('several words mean each bench once', () => {
    expect(chosenBenches(names, ['sip', 'sip/parse', 'parse'], [])).toEqual(['sip/call', 'sip/parse']);
    expect(chosenBenches(names, ['all'], [])).toEqual(names);
  });

  it('unknown is told with the nearest known', () => {
    expect(() => chosenBenches(names, ['ringz'], [])).toThrow(/did you mean "rings"/);
  });
});
