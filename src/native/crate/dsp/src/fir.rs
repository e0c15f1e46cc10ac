//! The inner loops: every output is a sum of products of taps and samples, always added in the same order, whatever
//! the block length, so that blocks of any length give the same stream bit for bit.

use crate::bank::{Bank, Layout};
use crate::simd::{Level, MAX_LANES, Portable, Simd};

/// Where a stream stands: the newest input sample of its next output, counted from the first new sample, and the
/// filter that this output takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) input: usize,
    pub(crate) phase: usize,
}

/// Memory for one piece of one stream, used for every piece and stream in turn.
pub(crate) struct Workspace {
    /// Zeros for padded rows, then the history, then the piece, then room for a vector that reads too far.
    pub(crate) window: Vec<f32>,
    /// Columns with decimation: every d-th sample of the window, d times.
    planes: Vec<f32>,
    plane_stride: usize,
    /// Columns with interpolation: the outputs of each phase by themselves.
    phases: Vec<f32>,
    phase_stride: usize,
    pub(crate) output: Vec<f32>,
    front_samples: usize,
}

impl Workspace {
    pub(crate) fn new(bank: &Bank, piece_samples: usize) -> Self {
        let front_samples =
            if bank.layout == Layout::Rows { bank.phase_stride - bank.taps_per_phase } else { 0 };
        let window_samples = bank.history_samples() + piece_samples;
        let is_columns = bank.layout == Layout::Columns;
        let plane_stride = window_samples.div_ceil(bank.decimation) + MAX_LANES;
        let phase_stride = piece_samples.div_ceil(bank.decimation) + 1 + MAX_LANES;
        let if_needed = |needed: bool, samples: usize| vec![0.0; if needed { samples } else { 0 }];
        Self {
            window: vec![0.0; front_samples + window_samples + MAX_LANES],
            planes: if_needed(is_columns && bank.decimation > 1, plane_stride * bank.decimation),
            plane_stride,
            phases: if_needed(is_columns && bank.interpolation > 1, phase_stride * bank.interpolation),
            phase_stride,
            output: vec![0.0; piece_samples * bank.interpolation / bank.decimation + 2 + MAX_LANES],
            front_samples,
        }
    }

    /// Where the history begins in the window.
    pub(crate) fn history_at(&self) -> usize {
        self.front_samples
    }
}

/// Computes the next `count` outputs into `workspace.output`. The window holds the history and all input that these
/// outputs need.
pub(crate) fn filter(bank: &Bank, position: Position, count: usize, workspace: &mut Workspace) {
    if count == 0 {
        return;
    }
    let used = workspace.front_samples + bank.taps_per_phase + newest_input(bank, position, count);
    assert!(used + MAX_LANES <= workspace.window.len());
    assert!(count + MAX_LANES <= workspace.output.len());
    // SAFETY: the level was found available; every read and write lies inside what was just asserted, or inside the
    // planes and phases, whose sizes follow from it (see `Workspace::new`).
    unsafe {
        match bank.level {
            Level::Portable => filter_with::<Portable>(bank, position, count, workspace),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => filter_avx2(bank, position, count, workspace),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => filter_avx512(bank, position, count, workspace),
            #[cfg(not(target_arch = "x86_64"))]
            _ => unreachable!("levels of another processor"),
        }
    }
}

/// The newest input sample of the last of `count` outputs.
fn newest_input(bank: &Bank, position: Position, count: usize) -> usize {
    let steps = count.saturating_sub(1) * bank.decimation + position.phase;
    position.input + steps / bank.interpolation
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn filter_avx2(bank: &Bank, position: Position, count: usize, workspace: &mut Workspace) {
    unsafe { filter_with::<crate::simd::x86::Avx2>(bank, position, count, workspace) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
unsafe fn filter_avx512(bank: &Bank, position: Position, count: usize, workspace: &mut Workspace) {
    unsafe { filter_with::<crate::simd::x86::Avx512>(bank, position, count, workspace) }
}

#[inline(always)]
unsafe fn filter_with<S: Simd>(bank: &Bank, position: Position, count: usize, workspace: &mut Workspace) {
    match bank.layout {
        Layout::Columns => unsafe { filter_columns::<S>(bank, position, count, workspace) },
        Layout::Rows => unsafe { filter_rows::<S>(bank, position, count, workspace) },
    }
}

#[inline(always)]
unsafe fn filter_columns<S: Simd>(bank: &Bank, position: Position, count: usize, workspace: &mut Workspace) {
    let (interpolation, decimation) = (bank.interpolation, bank.decimation);
    if decimation > 1 {
        let used = bank.taps_per_phase + newest_input(bank, position, count);
        split_planes(&workspace.window[..used], decimation, &mut workspace.planes, workspace.plane_stride);
    }
    let columns = Columns {
        samples: if decimation > 1 { workspace.planes.as_ptr() } else { workspace.window.as_ptr() },
        plane_stride: workspace.plane_stride,
        planes: decimation,
        taps_per_phase: bank.taps_per_phase,
    };
    let (target, stride) = if interpolation > 1 {
        (workspace.phases.as_mut_ptr(), workspace.phase_stride)
    } else {
        (workspace.output.as_mut_ptr(), 0)
    };
    let column = |first: usize| {
        let steps = position.phase + first * decimation;
        Column {
            taps: unsafe { bank.taps.as_ptr().add(steps % interpolation * bank.phase_stride) },
            start: position.input + steps / interpolation,
            target: unsafe { target.add(first * stride) },
        }
    };
    let mut first = 0;
    while first < interpolation.min(count) {
        let due = (count - first).div_ceil(interpolation);
        let (one, other) = (column(first), column(first + 1));
        // The second of a pair may be due once less: its last output is then computed in vain and not used.
        if first + 1 < interpolation.min(count) && one.start == other.start {
            unsafe { columns.compute::<S, 2>([one, other], due) };
            first += 2;
        } else {
            unsafe { columns.compute::<S, 1>([one], due) };
            first += 1;
        }
    }
    if interpolation > 1 {
        interleave(&workspace.phases, workspace.phase_stride, interpolation, &mut workspace.output[..count]);
    }
}

/// The samples of all phases.
struct Columns {
    samples: *const f32,
    plane_stride: usize,
    planes: usize,
    taps_per_phase: usize,
}

/// Outputs of one phase: output m is the sum over k of taps[k] * window[start + m * planes + k].
#[derive(Clone, Copy)]
struct Column {
    taps: *const f32,
    start: usize,
    target: *mut f32,
}

impl Columns {
    /// Writes `count` outputs of each phase, rounded up to whole vectors; phases that start at the same sample share
    /// what is loaded. As many sums side by side as hide the latency of adding.
    #[inline(always)]
    unsafe fn compute<S: Simd, const PHASES: usize>(&self, phases: [Column; PHASES], count: usize) {
        let mut from = 0;
        let mut vectors = count.div_ceil(S::LANES);
        unsafe {
            while PHASES == 1 && vectors >= 10 {
                self.group::<S, PHASES, 10>(phases, from);
                from += 10 * S::LANES;
                vectors -= 10;
            }
            while vectors >= 5 {
                self.group::<S, PHASES, 5>(phases, from);
                from += 5 * S::LANES;
                vectors -= 5;
            }
            match vectors {
                4 => self.group::<S, PHASES, 4>(phases, from),
                3 => self.group::<S, PHASES, 3>(phases, from),
                2 => self.group::<S, PHASES, 2>(phases, from),
                1 => self.group::<S, PHASES, 1>(phases, from),
                _ => {}
            }
        }
    }

    #[inline(always)]
    unsafe fn group<S: Simd, const PHASES: usize, const VECTORS: usize>(
        &self,
        phases: [Column; PHASES],
        from: usize,
    ) {
        unsafe {
            let mut sums = [[S::splat(0.0); VECTORS]; PHASES];
            let mut passed = 0;
            for first in 0..self.planes {
                let at = phases[0].start + first;
                let plane = self.samples.add(at % self.planes * self.plane_stride + at / self.planes + from);
                let count = (self.taps_per_phase - first).div_ceil(self.planes);
                for k in 0..count {
                    let taps = phases.map(|phase| S::splat(*phase.taps.add(passed + k)));
                    for vector in 0..VECTORS {
                        let samples = S::load(plane.add(k + vector * S::LANES));
                        for (sums, tap) in sums.iter_mut().zip(taps) {
                            sums[vector] = sums[vector].plus_product(tap, samples);
                        }
                    }
                }
                passed += count;
            }
            for (phase, sums) in phases.iter().zip(sums) {
                for (vector, sum) in sums.iter().enumerate() {
                    sum.store(phase.target.add(from + vector * S::LANES));
                }
            }
        }
    }
}

/// planes[i % d][i / d] = window[i]
#[inline(always)]
fn split_planes(window: &[f32], decimation: usize, planes: &mut [f32], stride: usize) {
    match decimation {
        2 => split_by::<2>(window, planes, stride),
        3 => split_by::<3>(window, planes, stride),
        6 => split_by::<6>(window, planes, stride),
        _ => {
            for (i, sample) in window.iter().enumerate() {
                planes[i % decimation * stride + i / decimation] = *sample;
            }
        }
    }
}

#[inline(always)]
fn split_by<const D: usize>(window: &[f32], planes: &mut [f32], stride: usize) {
    let (whole, rest) = window.as_chunks::<D>();
    for (first, plane) in planes.chunks_exact_mut(stride).enumerate() {
        for (sample, group) in plane.iter_mut().zip(whole) {
            *sample = group[first];
        }
        if let Some(sample) = rest.get(first) {
            plane[whole.len()] = *sample;
        }
    }
}

/// output[m * phases + i] = phases[i][m]
#[inline(always)]
fn interleave(phases: &[f32], stride: usize, interpolation: usize, output: &mut [f32]) {
    match interpolation {
        2 => interleave_by::<2>(phases, stride, output),
        3 => interleave_by::<3>(phases, stride, output),
        6 => interleave_by::<6>(phases, stride, output),
        _ => {
            for (i, sample) in output.iter_mut().enumerate() {
                *sample = phases[i % interpolation * stride + i / interpolation];
            }
        }
    }
}

#[inline(always)]
fn interleave_by<const L: usize>(phases: &[f32], stride: usize, output: &mut [f32]) {
    let (whole, rest) = output.as_chunks_mut::<L>();
    let count = whole.len();
    let rows: [&[f32]; L] = std::array::from_fn(|phase| &phases[phase * stride..phase * stride + count]);
    for (m, group) in whole.iter_mut().enumerate() {
        for phase in 0..L {
            group[phase] = rows[phase][m];
        }
    }
    for (phase, sample) in rest.iter_mut().enumerate() {
        *sample = phases[phase * stride + count];
    }
}

#[inline(always)]
unsafe fn filter_rows<S: Simd>(bank: &Bank, position: Position, count: usize, workspace: &mut Workspace) {
    let window = workspace.window.as_ptr();
    let row = |output: usize| {
        let steps = position.phase + output * bank.decimation;
        let taps = unsafe { bank.taps.as_ptr().add(steps % bank.interpolation * bank.phase_stride) };
        // The window begins with as many zeros as each row of taps.
        let samples = unsafe { window.add(position.input + steps / bank.interpolation) };
        (taps, samples)
    };
    let mut at = 0;
    unsafe {
        while at + 4 <= count {
            let four =
                dot_products::<S, 4>([row(at), row(at + 1), row(at + 2), row(at + 3)], bank.phase_stride);
            workspace.output[at..at + 4].copy_from_slice(&four);
            at += 4;
        }
        while at < count {
            workspace.output[at] = dot_products::<S, 1>([row(at)], bank.phase_stride)[0];
            at += 1;
        }
    }
}

#[inline(always)]
unsafe fn dot_products<S: Simd, const ROWS: usize>(
    rows: [(*const f32, *const f32); ROWS],
    length: usize,
) -> [f32; ROWS] {
    unsafe {
        let mut sums = [S::splat(0.0); ROWS];
        for k in (0..length).step_by(S::LANES) {
            for (sum, (taps, samples)) in sums.iter_mut().zip(rows) {
                *sum = sum.plus_product(S::load(taps.add(k)), S::load(samples.add(k)));
            }
        }
        let mut results = [0.0; ROWS];
        for (result, sum) in results.iter_mut().zip(sums) {
            *result = sum.sum();
        }
        results
    }
}
