/** The frame of the media thread: what every leg takes in and puts out at each tick. */

export const RATE_HZ = 8000;
export const TICK_MS = 20;
/** One tick. */
export const FRAME_SAMPLES = (RATE_HZ * TICK_MS) / 1000;
