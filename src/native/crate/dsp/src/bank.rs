//! The filters of one pair of rates, laid out for the inner loops. Made once and shared by all streams of the pair.
//!
//! Two layouts. *Columns*, for simple ratios: outputs that are one period apart use the same filter, so the lanes of a
//! vector are outputs and a tap is one number for all of them. *Rows*, for ratios such as 160 to 441, where a block
//! has hardly two outputs with the same filter: the lanes are taps, and their products are added up in the end.

use crate::simd::Level;

/// Up to this many phases a block of 20 ms has enough outputs of each to fill vectors.
const MAX_COLUMN_PHASES: usize = 8;
/// Rows are padded to whole vectors of any level.
const ROW_STEP: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    Columns,
    Rows,
}

pub struct Bank {
    /// Outputs per `decimation` inputs, in lowest terms.
    pub(crate) interpolation: usize,
    pub(crate) decimation: usize,
    pub(crate) taps_per_phase: usize,
    pub(crate) delay_samples: usize,
    pub(crate) layout: Layout,
    /// From one phase's taps to the next's; in rows, the padded length.
    pub(crate) phase_stride: usize,
    /// Columns: of each phase the taps 0, d, 2d ..., then 1, d + 1 ..., d the decimation. Rows: zeros, then the taps.
    pub(crate) taps: Vec<f32>,
    pub(crate) level: Level,
}

impl Bank {
    /// `taps` holds `interpolation` filters of equal length, each the oldest sample's tap first.
    /// None where the numbers do not fit each other.
    pub fn new(taps: &[f32], interpolation: usize, decimation: usize, delay_samples: usize) -> Option<Self> {
        Self::with_level(taps, interpolation, decimation, delay_samples, Level::detect())
    }

    /// As `new`, with the instructions chosen: for comparing them. The level must be available.
    pub fn with_level(
        taps: &[f32],
        interpolation: usize,
        decimation: usize,
        delay_samples: usize,
        level: Level,
    ) -> Option<Self> {
        let is_possible = interpolation > 0 && decimation > 0 && !taps.is_empty();
        if !is_possible || !taps.len().is_multiple_of(interpolation) || !Level::available().contains(&level) {
            return None;
        }
        let taps_per_phase = taps.len() / interpolation;
        if taps_per_phase < 2 {
            return None;
        }
        let is_simple = interpolation.max(decimation) <= MAX_COLUMN_PHASES;
        let layout = if is_simple { Layout::Columns } else { Layout::Rows };
        let rows = taps.chunks_exact(taps_per_phase);
        let (phase_stride, taps) = match layout {
            Layout::Columns => (taps_per_phase, rows.flat_map(|row| by_columns(row, decimation)).collect()),
            Layout::Rows => {
                let padded = taps_per_phase.next_multiple_of(ROW_STEP);
                (padded, rows.flat_map(|row| padded_row(row, padded)).collect())
            }
        };
        Some(Self {
            interpolation,
            decimation,
            taps_per_phase,
            delay_samples,
            layout,
            phase_stride,
            taps,
            level,
        })
    }

    pub fn delay_samples(&self) -> usize {
        self.delay_samples
    }

    /// Past samples that a stream keeps.
    pub(crate) fn history_samples(&self) -> usize {
        self.taps_per_phase - 1
    }
}

fn by_columns(row: &[f32], decimation: usize) -> impl Iterator<Item = f32> {
    (0..decimation).flat_map(move |first| row.iter().skip(first).step_by(decimation).copied())
}

fn padded_row(row: &[f32], length: usize) -> impl Iterator<Item = f32> {
    std::iter::repeat_n(0.0, length - row.len()).chain(row.iter().copied())
}
