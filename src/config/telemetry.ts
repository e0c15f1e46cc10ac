/** What libraries would report of their own accord is switched off. Thread: main. */

/**
 * Keeps onnxruntime from reporting its use to Microsoft, from a thread and a database of its own: it reads this when
 * the first model is loaded, in whichever thread, so this comes before. A value of the user's counts instead.
 */
export function reportNothing(environment: NodeJS.ProcessEnv = process.env): void {
  environment.ORT_DISABLE_TELEMETRY ??= '1';
}
