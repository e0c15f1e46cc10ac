//! Samples in memory that JavaScript owns and other threads may see: copied in and out by raw pointer, so that no Rust
//! reference to such memory ever exists. 16-bit samples are full scale at 32,768, as in `src/audio/pcm.ts`.

use crate::simd::Level;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleType {
    F32,
    I16,
}

const FULL_SCALE: f32 = 32768.0;

/// A run of samples, any of which may be read and written while this value lives.
#[derive(Clone, Copy)]
pub struct Samples {
    address: *mut u8,
    sample_type: SampleType,
    length: usize,
}

impl Samples {
    /// # Safety
    /// `address` is aligned for the type and `length` samples from it on stay readable and writable (readable only, where
    /// nothing is written) for as long as this value or a part of it is used. Nobody writes them meanwhile.
    pub unsafe fn new(address: *mut u8, sample_type: SampleType, length: usize) -> Self {
        Self { address, sample_type, length }
    }

    pub fn len(&self) -> usize {
        self.length
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The part [from, from + length), or None where it does not lie inside.
    pub fn part(&self, from: usize, length: usize) -> Option<Self> {
        let end = from.checked_add(length)?;
        if end > self.length {
            return None;
        }
        let size = match self.sample_type {
            SampleType::F32 => 4,
            SampleType::I16 => 2,
        };
        // In bounds: from <= length, just checked.
        let address = self.address.wrapping_add(from * size);
        Some(Self { address, length, ..*self })
    }

    /// `target[i]` becomes sample `from + i * step`.
    pub(crate) fn read(&self, from: usize, step: usize, target: &mut [f32], level: Level) {
        self.assert_holds(from, step, target.len());
        // SAFETY: asserted to lie inside; `new` promises that it is readable and aligned. The level is available.
        unsafe {
            match self.sample_type {
                SampleType::F32 if step == 1 => {
                    let source = self.address.cast::<f32>().add(from);
                    target.as_mut_ptr().copy_from_nonoverlapping(source, target.len());
                }
                SampleType::F32 => {
                    let source = self.address.cast::<f32>().add(from);
                    for (i, sample) in target.iter_mut().enumerate() {
                        *sample = source.add(i * step).read();
                    }
                }
                SampleType::I16 => {
                    let source = self.address.cast::<i16>().add(from);
                    match level {
                        #[cfg(target_arch = "x86_64")]
                        Level::Avx2 | Level::Avx512 => read_i16_avx2(source, step, target),
                        _ => read_i16(source, step, target),
                    }
                }
            }
        }
    }

    /// Sample `from + i * step` becomes `source[i]`; 16-bit ones are rounded and clipped, not-a-number becomes 0.
    pub(crate) fn write(&self, from: usize, step: usize, source: &[f32], level: Level) {
        self.assert_holds(from, step, source.len());
        // SAFETY: asserted to lie inside; `new` promises that it is writable and aligned. The level is available.
        unsafe {
            match self.sample_type {
                SampleType::F32 if step == 1 => {
                    let target = self.address.cast::<f32>().add(from);
                    target.copy_from_nonoverlapping(source.as_ptr(), source.len());
                }
                SampleType::F32 => {
                    let target = self.address.cast::<f32>().add(from);
                    for (i, sample) in source.iter().enumerate() {
                        target.add(i * step).write(*sample);
                    }
                }
                SampleType::I16 => {
                    let target = self.address.cast::<i16>().add(from);
                    match level {
                        #[cfg(target_arch = "x86_64")]
                        Level::Avx2 | Level::Avx512 => write_i16_avx2(source, target, step),
                        _ => write_i16(source, target, step),
                    }
                }
            }
        }
    }

    fn assert_holds(&self, from: usize, step: usize, count: usize) {
        let end = if count == 0 { 0 } else { from + (count - 1) * step + 1 };
        assert!(end <= self.length, "samples {from}..{end} of {}", self.length);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn read_i16_avx2(source: *const i16, step: usize, target: &mut [f32]) {
    unsafe { read_i16(source, step, target) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn write_i16_avx2(source: &[f32], target: *mut i16, step: usize) {
    unsafe { write_i16(source, target, step) }
}

#[inline(always)]
unsafe fn read_i16(source: *const i16, step: usize, target: &mut [f32]) {
    let read = |at: usize| f32::from(unsafe { source.add(at).read() }) / FULL_SCALE;
    if step == 1 {
        // Apart, because only this becomes vector instructions.
        target.iter_mut().enumerate().for_each(|(i, sample)| *sample = read(i));
    } else {
        target.iter_mut().enumerate().for_each(|(i, sample)| *sample = read(i * step));
    }
}

#[inline(always)]
unsafe fn write_i16(source: &[f32], target: *mut i16, step: usize) {
    let write = |at: usize, sample: f32| unsafe { target.add(at).write(to_i16(sample)) };
    if step == 1 {
        source.iter().enumerate().for_each(|(i, sample)| write(i, *sample));
    } else {
        source.iter().enumerate().for_each(|(i, sample)| write(i * step, *sample));
    }
}

/// Half up, as JavaScript's `Math.round`; in steps that become vector instructions on every processor.
#[inline(always)]
fn to_i16(sample: f32) -> i16 {
    let number = if sample.is_nan() { 0.0 } else { sample };
    let shifted = (number * FULL_SCALE).clamp(-FULL_SCALE, FULL_SCALE - 1.0) + 0.5;
    // SAFETY: a number of 16 bits, as just clamped.
    let truncated: i32 = unsafe { shifted.to_int_unchecked() };
    let floor = truncated - i32::from(truncated as f32 > shifted);
    floor as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bit_samples_round_and_clip() {
        for (sample, expected) in [(0.0, 0), (1.0, 32767), (-1.0, -32768), (7.0, 32767), (-7.0, -32768)] {
            assert_eq!(to_i16(sample), expected);
        }
        assert_eq!(to_i16(f32::NAN), 0);
        assert_eq!(to_i16(1.5 / FULL_SCALE), 2);
        assert_eq!(to_i16(-1.5 / FULL_SCALE), -1);
        assert_eq!(to_i16(f32::INFINITY), 32767);
        assert_eq!(to_i16(-0.4 / FULL_SCALE), 0);
        assert_eq!(to_i16(-0.6 / FULL_SCALE), -1);
    }

    #[test]
    fn strides_read_and_write_one_channel_of_many() {
        let mut memory: Vec<i16> = (0..12).map(|i| i * 1000).collect();
        let samples = unsafe { Samples::new(memory.as_mut_ptr().cast(), SampleType::I16, 12) };
        let mut channel = [0.0; 4];
        samples.read(1, 3, &mut channel, Level::detect());
        assert_eq!(channel.map(|sample| sample * FULL_SCALE), [1000.0, 4000.0, 7000.0, 10000.0]);
        samples.write(2, 3, &[0.0; 4], Level::detect());
        assert_eq!(memory, [0, 1000, 0, 3000, 4000, 0, 6000, 7000, 0, 9000, 10000, 0]);
    }

    #[test]
    fn parts_lie_inside() {
        let mut memory = [0.0f32; 8];
        let samples = unsafe { Samples::new(memory.as_mut_ptr().cast(), SampleType::F32, 8) };
        assert_eq!(samples.part(3, 5).map(|part| part.len()), Some(5));
        assert!(samples.part(3, 6).is_none());
        assert!(samples.part(usize::MAX, 2).is_none());
    }

    #[test]
    #[should_panic(expected = "samples 5..9 of 8")]
    fn writing_outside_is_a_fault() {
        let mut memory = [0.0f32; 8];
        let samples = unsafe { Samples::new(memory.as_mut_ptr().cast(), SampleType::F32, 8) };
        samples.write(5, 1, &[0.0; 4], Level::Portable);
    }
}
