/**
 * Where the text of a call goes next: a service of this process, or the links that dial one elsewhere. Types only.
 */
export interface TextSink {
  /** The call is there; a sink that dials connects now. May come again for a call that was lost and found. */
  begin(callId: number): void;
  text(callId: number, text: string): void;
  /** The call is over. Unknown calls are fine. */
  end(callId: number): void;
}
