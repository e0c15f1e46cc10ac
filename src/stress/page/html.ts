/** What the pages share: escaping, the look, tables. Pure. Nothing on a page is loaded from elsewhere. */

/** Colours of the stages of a turn, in their order: queues pale, the work behind them strong. */
export const STAGE_COLOURS: Readonly<Record<string, string>> = {
  uplink: '#d9c7e8',
  endpoint: '#9aa5b1',
  endpointQueue: '#d3d8de',
  sttQueue: '#f6d186',
  stt: '#e8a33d',
  llmQueue: '#b7d3f2',
  llmFirstToken: '#5b93d6',
  firstSentence: '#2f5d9b',
  ttsQueue: '#c9e4c5',
  ttsFirstAudio: '#5fa55a',
  playout: '#8e6bbf',
  handover: '#c7505f',
  leadIn: '#e5e0d8',
};

export const STYLE = `body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:64rem;padding:0 1rem;color:#1f2933}
h1{font-size:1.5rem;margin-bottom:.2rem}h2{font-size:1.1rem;margin:2rem 0 .3rem}p{margin:.3rem 0}small,.note{color:#627d98}
.cards{display:flex;flex-wrap:wrap;gap:.7rem;margin:1rem 0}.card{border:1px solid #d9e2ec;border-radius:6px;padding:.5rem .9rem;min-width:7.5rem}
.card b{display:block;font-size:1.3rem;font-weight:600}.card span{color:#627d98;font-size:.85rem}
.good{color:#1f7a4d}.bad{color:#ba2525}svg{display:block;width:100%;height:auto;margin:.4rem 0}svg text{font:12px system-ui,sans-serif;fill:#52606d}
table{border-collapse:collapse;font-size:.9rem}td,th{padding:.2rem .9rem .2rem 0;text-align:right;border-bottom:1px solid #e4e7eb}
td:first-child,th:first-child,.text{text-align:left}th{color:#627d98;font-weight:500}
.legend span{display:inline-block;margin-right:1rem;font-size:.85rem}.legend i{display:inline-block;width:.8rem;height:.8rem;margin-right:.3rem;border-radius:2px}`;

/** A whole page. @param body HTML */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${STYLE}</style>
${body}
</html>
`;
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Rows of plain text; the first row is the head. @param classOf class of a cell, '' for none */
export function table(
  rows: readonly (readonly string[])[],
  classOf: (row: number, column: number) => string = () => '',
): string {
  const cells = (row: readonly string[], at: number): string =>
    row
      .map((cell, column) => {
        const name = classOf(at, column);
        const tag = at === 0 ? 'th' : 'td';
        return `<${tag}${name === '' ? '' : ` class="${name}"`}>${escapeHtml(cell)}</${tag}>`;
      })
      .join('');
  return `<table>${rows.map((row, at) => `<tr>${cells(row, at)}</tr>`).join('\n')}</table>`;
}

/** Which colour is what. */
export function legend(colours: Readonly<Record<string, string>>): string {
  const entries = Object.entries(colours).map(
    ([name, colour]) => `<span><i style="background:${colour}"></i>${escapeHtml(name)}</span>`,
  );
  return `<p class="legend">${entries.join('')}</p>`;
}
