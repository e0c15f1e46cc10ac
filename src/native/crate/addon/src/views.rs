//! Typed arrays as JavaScript hands them over, on shared memory or not: an address and a length, good until the call
//! returns. The caller's protocol (tape, ring, one owner per block) sees to it that no other thread writes meanwhile.

use std::ptr;

use napi::bindgen_prelude::{Error, FromNapiValue, Result, Status};
use napi::sys;
use wildfire_dsp::{SampleType, Samples};

/// A Float32Array or Int16Array.
pub struct View {
    pub samples: Samples,
}

impl FromNapiValue for View {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        // SAFETY: both come from Node.js, for this call.
        let (array_type, address, length) = unsafe { typed_array(env, value) }?;
        let sample_type = match array_type {
            sys::TypedarrayType::float32_array => SampleType::F32,
            sys::TypedarrayType::int16_array => SampleType::I16,
            _ => return Err(invalid("samples are a Float32Array or an Int16Array")),
        };
        // SAFETY: a typed array is aligned for its type and lies inside its buffer, which lives until the call returns.
        Ok(Self { samples: unsafe { Samples::new(address, sample_type, length) } })
    }
}

/// An Int32Array of jobs, five numbers each: stream, first input sample, input samples, first output sample, and, written
/// by us, output samples.
pub struct JobView {
    address: *mut i32,
    jobs: usize,
}

pub struct Job {
    pub stream: usize,
    pub input_from: usize,
    pub input_samples: usize,
    pub output_from: usize,
}

const NUMBERS_PER_JOB: usize = 5;

impl JobView {
    /// A negative number becomes one that is too large for any view.
    pub fn jobs(&self) -> impl Iterator<Item = Job> {
        (0..self.jobs).map(|index| Job {
            stream: self.number(index, 0),
            input_from: self.number(index, 1),
            input_samples: self.number(index, 2),
            output_from: self.number(index, 3),
        })
    }

    /// Writes how many samples came out of the job at `index`.
    pub fn note(&self, index: usize, written: usize) {
        assert!(index < self.jobs);
        // SAFETY: inside the array, as just asserted.
        unsafe { self.address.add(index * NUMBERS_PER_JOB + 4).write(written as i32) };
    }

    fn number(&self, index: usize, at: usize) -> usize {
        assert!(index < self.jobs && at < NUMBERS_PER_JOB);
        // SAFETY: inside the array, as just asserted.
        let number = unsafe { self.address.add(index * NUMBERS_PER_JOB + at).read() };
        usize::try_from(number).unwrap_or(usize::MAX)
    }
}

impl FromNapiValue for JobView {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        // SAFETY: both come from Node.js, for this call.
        let (array_type, address, length) = unsafe { typed_array(env, value) }?;
        if array_type != sys::TypedarrayType::int32_array {
            return Err(invalid("jobs are an Int32Array"));
        }
        Ok(Self { address: address.cast(), jobs: length / NUMBERS_PER_JOB })
    }
}

/// Type, address and length of a typed array. The buffer is not asked for: Node.js cannot name a shared one.
unsafe fn typed_array(env: sys::napi_env, value: sys::napi_value) -> Result<(i32, *mut u8, usize)> {
    let mut array_type = 0;
    let mut length = 0;
    let mut address = ptr::null_mut();
    // SAFETY: as promised to `from_napi_value`; the outputs are ours, and null ones are allowed.
    let status = unsafe {
        sys::napi_get_typedarray_info(
            env,
            value,
            &mut array_type,
            &mut length,
            &mut address,
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    if status != sys::Status::napi_ok {
        return Err(invalid("expected a typed array"));
    }
    if address.is_null() {
        // An empty array may have no address.
        return Ok((array_type, ptr::dangling_mut::<f64>().cast(), 0));
    }
    Ok((array_type, address.cast(), length))
}

fn invalid(reason: &str) -> Error {
    Error::new(Status::InvalidArg, reason.to_owned())
}
