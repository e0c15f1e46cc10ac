/** Prints docs/turn-machine.md: `node test/turn/print-turn-machine.ts > docs/turn-machine.md`. */
import { renderTurnDiagram, renderTurnTable } from '../../src/turn/turn-machine.ts';

console.log(`# The turn machine

Printed from the table in \`src/turn/turn-machine.ts\` by \`node test/turn/print-turn-machine.ts\`; a test compares
the two. An event without a row changes nothing. Which event a situation is, is decided in
\`src/turn/turn-policy.ts\`.

\`\`\`mermaid
${renderTurnDiagram()}
\`\`\`

${renderTurnTable()}`);
