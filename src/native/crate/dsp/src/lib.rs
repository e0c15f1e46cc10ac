//! Wildfire's per-sample work: a streaming polyphase resampler and Whisper's log-mel features. Depends on nothing and
//! knows nothing of JavaScript; `wildfire-native` is the addon around it.
//!
//! Read: `samples` (memory that JavaScript owns), `bank` (filters), `resampler` (streams), `fir` (the inner loops),
//! `simd` (what the processor can do), `log_mel` and `spectrum` (features).

mod bank;
mod fir;
mod log_mel;
mod resampler;
mod samples;
mod simd;
mod spectrum;

pub use bank::Bank;
pub use log_mel::{LogMel, MelFilters};
pub use resampler::{OutputTooShort, Resampler, ResamplerBatch};
pub use samples::{SampleType, Samples};
pub use simd::Level;
