/** The page of a call: whole, and nothing that was said can break out of it. */
import { describe, expect, it } from 'vitest';
import { NO_STAGES } from '../../src/call/reports.ts';
import type { CallResult, TurnResult } from '../../src/caller/call-result.ts';
import { renderWaterfallPage } from '../../src/cli/waterfall-page.ts';

const NASTY = `</div><script>alert("x")</script> & 'more'`;

function turn(changes: Partial<TurnResult> = {}): TurnResult {
  return {
    said: 'hello',
    heard: 'hello',
    reply: 'good day',
    goal: 'greets',
    goalMet: true,
    voiceToVoiceMs: 800,
    decisionToVoiceMs: 400,
    bargeIn: false,
    bargeInToSilenceMs: null,
    stagesMs: { ...NO_STAGES, endpoint: 400, stt: 200, playout: 200 },
    ...changes,
  };
}

function callWith(turns: readonly TurnResult[], greeting = 'hi'): CallResult {
  return {
    id: 'x',
    endedBy: 'caller',
    goalsMet: true,
    why: 'booked',
    postDialDelayMs: 1,
    greetingMs: 2,
    greeting,
    turns,
    rtp: { sent: 0, received: 0, lost: 0, late: 0, underrunFrames: 0 },
    ledger: null,
  };
}

describe('waterfall page', () => {
  it('escapes everything that was said, heard or wanted', () => {
    const spoken = { said: NASTY, heard: NASTY, reply: NASTY, goal: NASTY, goalMet: false };
    const page = renderWaterfallPage(callWith([turn(spoken)], NASTY));
    expect(page).not.toContain('<script');
    expect(page).not.toContain('alert("x")');
    expect(page.match(/&lt;script&gt;alert\(&quot;x&quot;\)/g)).toHaveLength(5);
  });

  it('draws the stages one after another, to the scale of the longest turn', () => {
    const page = renderWaterfallPage(callWith([turn(), turn({ voiceToVoiceMs: 1600 })]));
    const bars = [...page.matchAll(/left:([\d.]+)%;width:([\d.]+)%;[^>]*title="(\w+) /g)].slice(
      0,
      Object.keys(NO_STAGES).length,
    );
    expect(bars.map(([, left, width, name]) => [name, Number(left), Number(width)])).toEqual([
      ['uplink', 0, 0],
      ['endpoint', 0, 25],
      ['endpointQueue', 25, 0],
      ['sttQueue', 25, 0],
      ['stt', 25, 12.5],
      ['llmQueue', 37.5, 0],
      ['llmFirstToken', 37.5, 0],
      ['firstSentence', 37.5, 0],
      ['ttsQueue', 37.5, 0],
      ['ttsFirstAudio', 37.5, 0],
      ['playout', 37.5, 12.5],
      ['handover', 50, 0],
      ['leadIn', 50, 0],
    ]);
  });

  it('loads nothing from elsewhere', () => {
    expect(renderWaterfallPage(callWith([turn()]))).not.toMatch(/https?:|src=|url\(/);
  });

  it('tells missed goals and barge-ins', () => {
    const page = renderWaterfallPage(
      callWith([turn({ goalMet: false, bargeIn: true, bargeInToSilenceMs: 21.5 })]),
    );
    expect(page).toContain('missed: greets');
    expect(page).toContain('Interrupting: hello');
    expect(page).toContain('silent 21.5 ms after barge-in');
  });

  it('stands without a turn', () => {
    expect(renderWaterfallPage(callWith([]))).toContain('<!doctype html>');
  });
});
