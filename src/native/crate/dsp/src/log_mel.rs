//! Whisper's log-mel features. The same as its TypeScript twin, `log-mel.ts`, which has the definition and its source;
//! four frames at once.

use crate::samples::Samples;
use crate::simd::Level;
use crate::spectrum::{FRAME_SAMPLES, FRAMES, Lanes, POWER_BINS, PowerSpectrum};

const HOP_SAMPLES: usize = 160;
const HALF_FRAME_SAMPLES: usize = FRAME_SAMPLES / 2;
const POWER_FLOOR: f64 = 1e-10;
const LOG10_FLOOR: f64 = -10.0;
const RANGE_LOG10: f64 = 8.0;

/// Triangles over the power bins: filter m owns weights[weight_start[m]..weight_start[m + 1]), from first_bin[m] on.
pub struct MelFilters {
    first_bin: Vec<usize>,
    weight_start: Vec<usize>,
    weights: Vec<f64>,
}

impl MelFilters {
    /// None where a filter reaches outside the bins or its weights.
    pub fn new(first_bin: &[i32], weight_start: &[i32], weights: &[f64]) -> Option<Self> {
        let sizes = |values: &[i32]| {
            values.iter().map(|&value| usize::try_from(value).ok()).collect::<Option<Vec<_>>>()
        };
        let (first_bin, weight_start) = (sizes(first_bin)?, sizes(weight_start)?);
        let has_ends =
            weight_start.len() == first_bin.len() + 1 && weight_start.last() == Some(&weights.len());
        let lies_inside = first_bin
            .iter()
            .zip(weight_start.windows(2))
            .all(|(bin, ends)| ends[0] <= ends[1] && bin + (ends[1] - ends[0]) <= POWER_BINS);
        (has_ends && lies_inside).then(|| Self { first_bin, weight_start, weights: weights.to_vec() })
    }

    fn mel_bins(&self) -> usize {
        self.first_bin.len()
    }
}

/// One thread's features; owns its scratch memory, which grows to the longest window.
pub struct LogMel {
    filters: MelFilters,
    spectrum: PowerSpectrum,
    window: Vec<f64>,
    power: Vec<Lanes>,
    /// What is heard, from half a frame before its first sample on.
    heard: Vec<f32>,
    /// [mel][frame], log10 as it comes from the filters.
    rows: Vec<f32>,
    level: Level,
}

impl LogMel {
    pub fn new(filters: MelFilters) -> Self {
        let hann =
            |i: usize| 0.5 - 0.5 * (2.0 * std::f64::consts::PI * i as f64 / FRAME_SAMPLES as f64).cos();
        Self {
            filters,
            spectrum: PowerSpectrum::new(),
            window: (0..FRAME_SAMPLES).map(hann).collect(),
            power: vec![Lanes::ZERO; POWER_BINS],
            heard: Vec::new(),
            rows: Vec::new(),
            level: Level::detect(),
        }
    }

    /// Features of `samples`, padded with zeros or cut to `frames` x 10 ms, into `target` as [mel][frame].
    /// None where the target does not hold mel bins x frames.
    pub fn extract(&mut self, samples: Samples, frames: usize, target: Samples) -> Option<()> {
        let mel_bins = self.filters.mel_bins();
        if frames.checked_mul(mel_bins)? != target.len() {
            return None;
        }
        let length = samples.len().min(frames * HOP_SAMPLES);
        // A frame that reaches no sample holds the floor.
        let frames_heard = frames.min((length + HALF_FRAME_SAMPLES).div_ceil(HOP_SAMPLES));
        let stride = frames_heard.next_multiple_of(FRAMES);
        self.gather(samples.part(0, length)?, frames * HOP_SAMPLES, stride);
        self.rows.resize(mel_bins * stride, 0.0);
        // SAFETY: the level was found available.
        let loudest = unsafe {
            match self.level {
                Level::Portable => self.compute(stride, frames_heard),
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 | Level::Avx512 => self.compute_avx2(stride, frames_heard),
                #[cfg(not(target_arch = "x86_64"))]
                _ => unreachable!("levels of another processor"),
            }
        };
        self.write(loudest, frames, frames_heard, target);
        Some(())
    }

    /// The signal and zeros after it, mirrored at its start and at `length` samples.
    fn gather(&mut self, samples: Samples, length: usize, frames: usize) {
        self.heard.clear();
        self.heard.resize(HALF_FRAME_SAMPLES + frames * HOP_SAMPLES + HALF_FRAME_SAMPLES, 0.0);
        let said = HALF_FRAME_SAMPLES..HALF_FRAME_SAMPLES + samples.len();
        samples.read(0, 1, &mut self.heard[said], self.level);
        let mirrored = |at: usize| if at < length { at } else { (2 * length).saturating_sub(2 + at) };
        if length == 0 {
            return;
        }
        for i in 1..=HALF_FRAME_SAMPLES {
            self.heard[HALF_FRAME_SAMPLES - i] = self.heard[HALF_FRAME_SAMPLES + mirrored(i)];
        }
        let end = HALF_FRAME_SAMPLES + length;
        for (i, past_end) in (end..self.heard.len()).take(HALF_FRAME_SAMPLES).enumerate() {
            self.heard[past_end] = self.heard[HALF_FRAME_SAMPLES + mirrored(length + i)];
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn compute_avx2(&mut self, stride: usize, frames: usize) -> f64 {
        self.compute(stride, frames)
    }

    /// Fills the rows and returns the largest value of the first `frames` columns.
    #[inline(always)]
    fn compute(&mut self, stride: usize, frames: usize) -> f64 {
        let mut loudest = Lanes([LOG10_FLOOR; FRAMES]);
        for frame in (0..frames).step_by(FRAMES) {
            let samples = &self.heard[frame * HOP_SAMPLES..];
            self.spectrum.power(samples, HOP_SAMPLES, &self.window, &mut self.power);
            for mel in 0..self.filters.mel_bins() {
                let ends = self.filters.weight_start[mel]..self.filters.weight_start[mel + 1];
                let power = &self.power[self.filters.first_bin[mel]..];
                let mut sum = Lanes::ZERO;
                for (weight, bin) in self.filters.weights[ends].iter().zip(power) {
                    sum = sum + *bin * *weight;
                }
                let value = log10(sum);
                for lane in 0..FRAMES.min(frames - frame) {
                    loudest.0[lane] = loudest.0[lane].max(value.0[lane]);
                }
                let row = &mut self.rows[mel * stride + frame..][..FRAMES];
                row.copy_from_slice(&value.0.map(|value| value as f32));
            }
        }
        loudest.0.into_iter().fold(LOG10_FLOOR, f64::max)
    }

    fn write(&mut self, loudest: f64, frames: usize, frames_heard: usize, target: Samples) {
        let floor = LOG10_FLOOR.max(loudest - RANGE_LOG10);
        let rest = vec![((floor + 4.0) / 4.0) as f32; frames - frames_heard];
        let stride = frames_heard.next_multiple_of(FRAMES).max(1);
        for mel in 0..self.filters.mel_bins() {
            let row =
                if frames_heard == 0 { &mut [] } else { &mut self.rows[mel * stride..][..frames_heard] };
            for value in row.iter_mut() {
                *value = ((f64::from(*value).max(floor) + 4.0) / 4.0) as f32;
            }
            target.write(mel * frames, 1, row, self.level);
            target.write(mel * frames + frames_heard, 1, &rest, self.level);
        }
    }
}

/// log10 of values that are at least the power floor, within 1e-9; the floor for all others. Without a branch or a table,
/// so that the lanes stay together: value = m * 2^e with m in [0.7, 1.4], and ln m = 2 artanh((m - 1) / (m + 1)).
#[inline(always)]
fn log10(value: Lanes) -> Lanes {
    const MANTISSA: u64 = (1 << 52) - 1;
    const HALF_ROOT_TWO: u64 = 0x3fe6_a09e_667f_3bcd;
    const TWO_POW_52: u64 = 0x4330_0000_0000_0000;
    Lanes(value.0.map(|value| {
        let clamped = if value > POWER_FLOOR { value } else { POWER_FLOOR };
        let shifted = clamped.to_bits().wrapping_sub(HALF_ROOT_TWO);
        // The exponent as a float, by writing it into the mantissa of 2^52; biased, so that it is never negative.
        let exponent =
            f64::from_bits(TWO_POW_52 | (shifted.wrapping_add(1023 << 52) >> 52)) - 4_503_599_627_371_519.0;
        let mantissa = f64::from_bits((shifted & MANTISSA).wrapping_add(HALF_ROOT_TWO));
        let s = (mantissa - 1.0) / (mantissa + 1.0);
        let t = s * s;
        let series = 1.0 + t * (1.0 / 3.0 + t * (0.2 + t * (1.0 / 7.0 + t * (1.0 / 9.0 + t * (1.0 / 11.0)))));
        let ln = exponent * std::f64::consts::LN_2 + 2.0 * s * series;
        ln * std::f64::consts::LOG10_E
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::SampleType;

    #[test]
    fn logarithms_are_right() {
        for exponent in -33..40 {
            for step in 0..10 {
                let value = 2f64.powi(exponent) * (1.0 + f64::from(step) / 10.0);
                let expected = value.max(POWER_FLOOR).log10();
                assert!((log10(Lanes([value; FRAMES])).0[0] - expected).abs() < 1e-9, "{value}");
            }
        }
        for nothing in [0.0, -1.0, f64::NAN] {
            assert!((log10(Lanes([nothing; FRAMES])).0[3] - LOG10_FLOOR).abs() < 1e-9);
        }
    }

    #[test]
    fn filters_that_reach_outside_are_refused() {
        assert!(MelFilters::new(&[199], &[0, 2], &[1.0, 1.0]).is_some());
        assert!(MelFilters::new(&[200], &[0, 2], &[1.0, 1.0]).is_none());
        assert!(MelFilters::new(&[0], &[0, 3], &[1.0, 1.0]).is_none());
        assert!(MelFilters::new(&[-1], &[0, 2], &[1.0, 1.0]).is_none());
        assert!(MelFilters::new(&[0, 0], &[0, 2], &[1.0, 1.0]).is_none());
    }

    #[test]
    fn any_length_fills_the_target() {
        let filters = || MelFilters::new(&[1, 50], &[0, 2, 4], &[1.0; 4]).unwrap();
        let cases = [(0, 0), (0, 3), (1, 1), (160, 1), (1000, 4), (100, 1), (1000, 20), (5000, 7)];
        for (length, frames) in cases.into_iter().take(if cfg!(miri) { 4 } else { 8 }) {
            let mut samples: Vec<f32> = (0..length).map(|i| (i as f32 * 0.3).sin()).collect();
            let mut target = vec![f32::NAN; 2 * frames];
            let view = |memory: &mut [f32]| unsafe {
                Samples::new(memory.as_mut_ptr().cast(), SampleType::F32, memory.len())
            };
            let mut log_mel = LogMel::new(filters());
            assert_eq!(log_mel.extract(view(&mut samples), frames, view(&mut target)), Some(()));
            assert!(target.iter().all(|value| value.is_finite()), "{length} samples, {frames} frames");
            assert_eq!(log_mel.extract(view(&mut samples), frames + 1, view(&mut target)), None);
        }
    }
}
