/**
 * What `stress --out` leaves behind: the result and its page, and what each call that missed its goal sounded like, which
 * is written while the others go on: a file that cannot be written is told when all is over. Thread: main.
 */
import { join } from 'node:path';
import { joinViews } from '../../caller/call-result.ts';
import type { CrowdCall } from '../../caller/crowd.ts';
import type { PlacedCall } from '../../caller/place-call.ts';
import { renderStressPage } from '../../stress/page/stress-page.ts';
import type { StressReport } from '../../stress/stress-report.ts';
import { writeConversation } from '../conversation-output.ts';
import { prepareFolder, writeFiles } from '../output-folder.ts';
import type { RuntimeProcess } from '../runtime-process.ts';

/** What a runtime of our own says of its calls. */
type RuntimeView = Pick<RuntimeProcess, 'turns' | 'calls'>;

export class StressOutput {
  readonly #folder: string;
  #unwritten: unknown = null;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws WildfireError USAGE_INVALID when files could not be written to the folder */
  static open(folder: string): StressOutput {
    prepareFolder(folder);
    return new StressOutput(folder);
  }

  /** A call that is over. @throws never: `finish` does */
  add(call: CrowdCall, placed: PlacedCall | null, runtime: RuntimeView | null): void {
    if (placed === null || call.goalMet) return;
    const report = runtime?.calls.find(({ sipCallId }) => sipCallId === placed.sipCallId) ?? null;
    try {
      const result = joinViews(placed, { turns: runtime?.turns ?? [], call: report });
      writeConversation(join(this.#folder, `missed-seed-${call.seed}`), result, placed);
    } catch (error) {
      this.#unwritten ??= error;
    }
  }

  /** Writes the result. @throws WildfireError USAGE_INVALID that names the first file that could not be written */
  finish(report: StressReport): void {
    writeFiles(this.#folder, {
      'stress.json': `${JSON.stringify(report, null, 2)}\n`,
      'index.html': renderStressPage(report),
    });
    if (this.#unwritten !== null) throw this.#unwritten;
  }
}
