/** One self-contained HTML page of a conversation: the dialogue and one waterfall per turn. Pure. */
import type { CallResult, TurnResult } from '../caller/call-result.ts';
import { escapeHtml, STAGE_COLOURS } from '../stress/page/html.ts';

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1f2933}
h1{font-size:1.4rem}section{border-top:1px solid #d9e2ec;padding:1rem 0}.said{font-weight:600}.reply{color:#334e68}
.bars{position:relative;height:1.6rem;background:#f0f4f8;border-radius:3px;overflow:hidden;margin:.5rem 0}
.bars span{position:absolute;top:0;bottom:0}.legend span{display:inline-block;margin-right:1rem;font-size:.85rem}
.legend i{display:inline-block;width:.8rem;height:.8rem;margin-right:.3rem;border-radius:2px}
.missed{color:#ba2525;font-weight:600}small{color:#627d98}`;

/** The page. Everything spoken is escaped. */
export function renderWaterfallPage(call: CallResult): string {
  const longestMs = Math.max(1, ...call.turns.map(({ voiceToVoiceMs }) => voiceToVoiceMs));
  const legend = Object.entries(STAGE_COLOURS)
    .map(([name, colour]) => `<span><i style="background:${colour}"></i>${name}</span>`)
    .join('');
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Wildfire: a call</title><style>${STYLE}</style>
<h1>A call, turn by turn</h1>
<p>Ended by ${call.endedBy}. Greeting after ${call.greetingMs} ms: <q>${escapeHtml(call.greeting)}</q>
<br><small>Bars show where the time between the caller's last speech packet and the first voiced packet of the reply went.</small></p>
<p class="legend">${legend}</p>
${call.turns.map((turn, i) => renderTurn(turn, i + 1, longestMs)).join('\n')}
</html>
`;
}

function renderTurn(turn: TurnResult, number: number, longestMs: number): string {
  let startMs = 0;
  const bars = Object.entries(turn.stagesMs).map(([name, ms]) => {
    const bar = renderBar(name, startMs, ms, longestMs);
    startMs += ms;
    return bar;
  });
  const missed = turn.goalMet ? '' : ` <span class="missed">missed: ${escapeHtml(turn.goal)}</span>`;
  const bargeIn =
    turn.bargeInToSilenceMs === null ? '' : `, silent ${turn.bargeInToSilenceMs} ms after barge-in`;
  return `<section><div class="said">${number}. ${turn.bargeIn ? 'Interrupting: ' : ''}${escapeHtml(turn.said)}${missed}</div>
<div class="bars">${bars.join('')}</div><small>${turn.voiceToVoiceMs} ms voice to voice${bargeIn}; heard as <q>${escapeHtml(turn.heard)}</q></small>
<div class="reply">${escapeHtml(turn.reply)}</div></section>`;
}

function renderBar(name: string, startMs: number, ms: number, longestMs: number): string {
  const left = ((startMs / longestMs) * 100).toFixed(2);
  const width = ((ms / longestMs) * 100).toFixed(2);
  const colour = STAGE_COLOURS[name] ?? '#000';
  return `<span style="left:${left}%;width:${width}%;background:${colour}" title="${name} ${ms} ms"></span>`;
}
