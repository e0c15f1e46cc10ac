//! The Node.js addon: classes around wildfire-dsp, and a way to give free memory back. Every function that runs per block
//! takes views of JavaScript memory, shared or not, works on them until it returns, keeps none, and allocates nothing.
//!
//! Only `src/native/addon.ts` loads this; it states the same interface in TypeScript.

use std::sync::Arc;

use napi::bindgen_prelude::{Env, Error, Float32Array, ObjectFinalize, Result};
use napi_derive::napi;
use wildfire_dsp::{Bank, LogMel, MelFilters, OutputTooShort, Resampler, ResamplerBatch};

mod free_memory;
mod views;

use views::{JobView, View};

/// What a resampler holds outside the JavaScript heap, roughly, so that the collector knows.
const RESAMPLER_BYTES: i64 = 32 << 10;

/// What this binary was made from, and what it runs on.
#[napi(object)]
pub struct Description {
    /// Of all files that it was built from; empty when cargo was called by hand.
    pub source_hash: String,
    pub toolchain: String,
    /// Instructions that the inner loops use on this processor.
    pub instructions: String,
}

#[napi(catch_unwind)]
pub fn describe() -> Description {
    Description {
        source_hash: env!("WILDFIRE_SOURCE_HASH").to_owned(),
        toolchain: env!("WILDFIRE_TOOLCHAIN").to_owned(),
        instructions: wildfire_dsp::Level::detect().name().to_owned(),
    }
}

/// Begins to give the free pages inside all of malloc's arenas back to the system. Returns whether it did: not while that is
/// under way, nor where malloc is not glibc's.
#[napi(catch_unwind)]
pub fn release_free_memory() -> bool {
    free_memory::release()
}

/// The filters of one pair of rates, shared by all its resamplers of one thread.
#[napi]
pub struct FilterBank {
    bank: Arc<Bank>,
}

#[napi]
impl FilterBank {
    /// `taps`: [interpolation][taps per phase], oldest sample's tap first.
    #[napi(constructor, catch_unwind)]
    pub fn new(taps: Float32Array, interpolation: u32, decimation: u32, delay_samples: u32) -> Result<Self> {
        Bank::new(&taps, interpolation as usize, decimation as usize, delay_samples as usize)
            .map(|bank| Self { bank: Arc::new(bank) })
            .ok_or_else(|| Error::from_reason("these taps make no filter bank"))
    }
}

#[napi(js_name = "Resampler", custom_finalize)]
pub struct ResamplerObject {
    resampler: Resampler,
}

impl ObjectFinalize for ResamplerObject {
    fn finalize(self, env: Env) -> Result<()> {
        env.adjust_external_memory(-RESAMPLER_BYTES).map(|_| ())
    }
}

#[napi]
impl ResamplerObject {
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, bank: &FilterBank, channels: u32) -> Result<Self> {
        if channels == 0 {
            return Err(Error::from_reason("a stream has at least one channel"));
        }
        env.adjust_external_memory(RESAMPLER_BYTES)?;
        Ok(Self { resampler: Resampler::new(bank.bank.clone(), channels as usize) })
    }

    /// Samples written; -1 - n when the output cannot hold the n that are due.
    #[napi(catch_unwind)]
    pub fn process(&mut self, input: View, output: View) -> f64 {
        written_or_due(self.resampler.process(input.samples, output.samples))
    }

    /// As `process`.
    #[napi(catch_unwind)]
    pub fn flush(&mut self, output: View) -> f64 {
        written_or_due(self.resampler.flush(output.samples))
    }

    #[napi(catch_unwind)]
    pub fn reset(&mut self) {
        self.resampler.reset();
    }
}

#[napi(js_name = "ResamplerBatch", custom_finalize)]
pub struct ResamplerBatchObject {
    batch: ResamplerBatch,
}

impl ObjectFinalize for ResamplerBatchObject {
    fn finalize(self, env: Env) -> Result<()> {
        env.adjust_external_memory(-RESAMPLER_BYTES).map(|_| ())
    }
}

#[napi]
impl ResamplerBatchObject {
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, bank: &FilterBank, streams: u32) -> Result<Self> {
        env.adjust_external_memory(RESAMPLER_BYTES)?;
        Ok(Self { batch: ResamplerBatch::new(bank.bank.clone(), streams as usize) })
    }

    /// Does the jobs in their order and writes into each how many samples came out. Returns how many were done: fewer
    /// than there are when one names no stream or does not lie inside the views.
    #[napi(catch_unwind)]
    pub fn process(&mut self, input: View, output: View, jobs: JobView) -> u32 {
        let mut done = 0;
        for job in jobs.jobs() {
            let source = input.samples.part(job.input_from, job.input_samples);
            let room = output.samples.len().checked_sub(job.output_from);
            let target = room.and_then(|room| output.samples.part(job.output_from, room));
            let (Some(source), Some(target)) = (source, target) else { break };
            let Some(Ok(written)) = self.batch.process(job.stream, source, target) else { break };
            jobs.note(done, written);
            done += 1;
        }
        done as u32
    }

    /// As `Resampler.flush`, for one stream.
    #[napi(catch_unwind)]
    pub fn flush(&mut self, stream: u32, output: View) -> Result<f64> {
        self.batch.flush(stream as usize, output.samples).map(written_or_due).ok_or_else(no_such_stream)
    }

    #[napi(catch_unwind)]
    pub fn reset(&mut self, stream: u32) -> Result<()> {
        self.batch.reset(stream as usize).ok_or_else(no_such_stream)
    }
}

#[napi(js_name = "LogMel")]
pub struct LogMelObject {
    log_mel: LogMel,
}

#[napi]
impl LogMelObject {
    /// Filter m owns weights[weightStart[m]..weightStart[m + 1]), from power bin firstBin[m] on.
    #[napi(constructor, catch_unwind)]
    pub fn new(first_bin: Vec<i32>, weight_start: Vec<i32>, weights: Vec<f64>) -> Result<Self> {
        MelFilters::new(&first_bin, &weight_start, &weights)
            .map(|filters| Self { log_mel: LogMel::new(filters) })
            .ok_or_else(|| Error::from_reason("these are no mel filters"))
    }

    /// Whether the target has the length of mel bins x frames; nothing is written otherwise.
    #[napi(catch_unwind)]
    pub fn extract(&mut self, samples: View, frames: u32, target: View) -> bool {
        self.log_mel.extract(samples.samples, frames as usize, target.samples).is_some()
    }
}

fn written_or_due(result: std::result::Result<usize, OutputTooShort>) -> f64 {
    match result {
        Ok(written) => written as f64,
        Err(OutputTooShort { due_samples }) => -1.0 - due_samples as f64,
    }
}

fn no_such_stream() -> Error {
    Error::from_reason("the batch has no such stream")
}
