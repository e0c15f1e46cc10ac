//! Streams: what was heard last, where the next output stands, and blocks of any length in between. Allocates when it is
//! made and never after.

use std::sync::Arc;

use crate::bank::Bank;
use crate::fir::{self, Position, Workspace};
use crate::samples::Samples;

/// Input is worked off in pieces of this length, so that the workspace stays in the first-level cache.
const PIECE_SAMPLES: usize = 1024;

/// So many samples are due; nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputTooShort {
    pub due_samples: usize,
}

/// One stream of one or more interleaved channels.
pub struct Resampler {
    stream: Stream,
    workspace: Workspace,
    bank: Arc<Bank>,
}

impl Resampler {
    pub fn new(bank: Arc<Bank>, channels: usize) -> Self {
        let workspace = Workspace::new(&bank, PIECE_SAMPLES);
        Self { stream: Stream::new(&bank, channels), workspace, bank }
    }

    /// Takes all of `input`, whose length is a multiple of the channels, and returns how many samples it wrote.
    pub fn process(&mut self, input: Samples, output: Samples) -> Result<usize, OutputTooShort> {
        self.stream.process(&self.bank, input, output, &mut self.workspace)
    }

    /// Writes the tail, `delay_samples` of each channel, and starts anew.
    pub fn flush(&mut self, output: Samples) -> Result<usize, OutputTooShort> {
        self.stream.flush(&self.bank, output, &mut self.workspace)
    }

    pub fn reset(&mut self) {
        self.stream.reset();
    }
}

/// Many streams of one channel each that share a workspace and filters.
pub struct ResamplerBatch {
    streams: Vec<Stream>,
    workspace: Workspace,
    bank: Arc<Bank>,
}

impl ResamplerBatch {
    pub fn new(bank: Arc<Bank>, streams: usize) -> Self {
        let workspace = Workspace::new(&bank, PIECE_SAMPLES);
        Self { streams: (0..streams).map(|_| Stream::new(&bank, 1)).collect(), workspace, bank }
    }

    /// As `Resampler::process`, for one of the streams. None where there is no such stream.
    pub fn process(
        &mut self,
        stream: usize,
        input: Samples,
        output: Samples,
    ) -> Option<Result<usize, OutputTooShort>> {
        let stream = self.streams.get_mut(stream)?;
        Some(stream.process(&self.bank, input, output, &mut self.workspace))
    }

    /// As `Resampler::flush`.
    pub fn flush(&mut self, stream: usize, output: Samples) -> Option<Result<usize, OutputTooShort>> {
        let stream = self.streams.get_mut(stream)?;
        Some(stream.flush(&self.bank, output, &mut self.workspace))
    }

    pub fn reset(&mut self, stream: usize) -> Option<()> {
        self.streams.get_mut(stream).map(Stream::reset)
    }
}

struct Stream {
    channels: usize,
    position: Position,
    /// The last samples of each channel, one channel after the other.
    history: Vec<f32>,
}

impl Stream {
    fn new(bank: &Bank, channels: usize) -> Self {
        assert!(channels > 0, "a stream has at least one channel");
        Self {
            channels,
            position: Position::default(),
            history: vec![0.0; channels * bank.history_samples()],
        }
    }

    fn reset(&mut self) {
        self.position = Position::default();
        self.history.fill(0.0);
    }

    fn process(
        &mut self,
        bank: &Bank,
        input: Samples,
        output: Samples,
        workspace: &mut Workspace,
    ) -> Result<usize, OutputTooShort> {
        let frames = input.len() / self.channels;
        let due_samples = outputs_within(bank, self.position, frames) * self.channels;
        if output.len() < due_samples {
            return Err(OutputTooShort { due_samples });
        }
        let mut written = 0;
        for from in (0..frames).step_by(PIECE_SAMPLES) {
            let piece = PIECE_SAMPLES.min(frames - from);
            written += self.run_piece(bank, Some((input, from)), piece, (output, written), workspace);
        }
        Ok(written * self.channels)
    }

    fn flush(
        &mut self,
        bank: &Bank,
        output: Samples,
        workspace: &mut Workspace,
    ) -> Result<usize, OutputTooShort> {
        let due_samples = bank.delay_samples * self.channels;
        if output.len() < due_samples {
            return Err(OutputTooShort { due_samples });
        }
        let mut written = 0;
        while written < bank.delay_samples {
            let left = bank.delay_samples - written;
            let wanted = (left * bank.decimation).div_ceil(bank.interpolation) + self.position.input + 1;
            let piece = PIECE_SAMPLES.min(wanted);
            let part = output.part(0, due_samples).expect("checked above");
            written += self.run_piece(bank, None, piece, (part, written), workspace);
        }
        self.reset();
        Ok(due_samples)
    }

    /// Works off `piece` frames of the input (silence without one) and returns how many frames it wrote at `target`,
    /// never beyond its end.
    fn run_piece(
        &mut self,
        bank: &Bank,
        input: Option<(Samples, usize)>,
        piece: usize,
        (output, from): (Samples, usize),
        workspace: &mut Workspace,
    ) -> usize {
        let channels = self.channels;
        let room = output.len() / channels - from;
        let count = outputs_within(bank, self.position, piece).min(room);
        let history_at = workspace.history_at();
        let piece_at = history_at + bank.history_samples();
        for (channel, history) in self.history.chunks_exact_mut(bank.history_samples()).enumerate() {
            workspace.window[history_at..piece_at].copy_from_slice(history);
            let heard = &mut workspace.window[piece_at..piece_at + piece];
            match input {
                Some((samples, first)) => {
                    samples.read(first * channels + channel, channels, heard, bank.level)
                }
                None => heard.fill(0.0),
            }
            fir::filter(bank, self.position, count, workspace);
            output.write(from * channels + channel, channels, &workspace.output[..count], bank.level);
            history.copy_from_slice(&workspace.window[history_at + piece..piece_at + piece]);
        }
        self.position = advanced(bank, self.position, count, piece);
        count
    }
}

/// Outputs whose newest input lies among the next `frames`.
fn outputs_within(bank: &Bank, position: Position, frames: usize) -> usize {
    let next_at = position.input * bank.interpolation + position.phase;
    (frames * bank.interpolation).saturating_sub(next_at).div_ceil(bank.decimation)
}

fn advanced(bank: &Bank, position: Position, outputs: usize, frames: usize) -> Position {
    let steps = position.phase + outputs * bank.decimation;
    let input = position.input + steps / bank.interpolation;
    Position { input: input.saturating_sub(frames), phase: steps % bank.interpolation }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::SampleType;
    use crate::simd::Level;

    /// Interpolation, decimation, taps: every layout, with phases that are not whole vectors.
    const SHAPES: [(usize, usize, usize); 8] = [
        (2, 1, 56),
        (1, 3, 168),
        (1, 6, 30),
        (3, 2, 56),
        (2, 3, 84),
        (8, 7, 9),
        (160, 441, 156),
        (441, 160, 57),
    ];
    /// Miri runs a thousand times slower.
    const LENGTH: usize = if cfg!(miri) { 60 } else { 3000 };

    fn taps(interpolation: usize, per_phase: usize) -> Vec<f32> {
        (0..interpolation * per_phase)
            .map(|i| ((i * 7919 % 1000) as f32 / 1000.0 - 0.5) / per_phase as f32)
            .collect()
    }

    fn signal(length: usize) -> Vec<f32> {
        (0..length).map(|i| ((i * i) as f32 * 0.013).sin() * 0.7).collect()
    }

    trait Sample {
        const TYPE: SampleType;
    }

    impl Sample for f32 {
        const TYPE: SampleType = SampleType::F32;
    }

    impl Sample for i16 {
        const TYPE: SampleType = SampleType::I16;
    }

    fn view<T: Sample>(memory: &mut [T]) -> Samples {
        unsafe { Samples::new(memory.as_mut_ptr().cast(), T::TYPE, memory.len()) }
    }

    fn bank((interpolation, decimation, per_phase): (usize, usize, usize), level: Level) -> Arc<Bank> {
        let taps = taps(interpolation, per_phase);
        Arc::new(Bank::with_level(&taps, interpolation, decimation, 20, level).expect("numbers that fit"))
    }

    /// Straight from the definition, in double precision.
    fn by_definition(
        input: &[f32],
        (interpolation, decimation, per_phase): (usize, usize, usize),
    ) -> Vec<f32> {
        let taps = taps(interpolation, per_phase);
        let count = (input.len() * interpolation).div_ceil(decimation);
        (0..count)
            .map(|output| {
                let (newest, phase) =
                    (output * decimation / interpolation, output * decimation % interpolation);
                let row = &taps[phase * per_phase..(phase + 1) * per_phase];
                let products = row.iter().rev().enumerate().filter(|(age, _)| *age <= newest);
                products.map(|(age, tap)| f64::from(*tap) * f64::from(input[newest - age])).sum::<f64>()
                    as f32
            })
            .collect()
    }

    fn in_blocks(resampler: &mut Resampler, input: &mut [f32], blocks: &[usize], room: usize) -> Vec<f32> {
        let mut output = vec![f32::NAN; room];
        let (mut from, mut written) = (0, 0);
        for block in blocks.iter().cycle() {
            if from == input.len() {
                break;
            }
            let length = (*block).min(input.len() - from);
            let part = view(&mut input[from..from + length]);
            written += resampler.process(part, view(&mut output[written..])).unwrap();
            from += length;
        }
        written += resampler.flush(view(&mut output[written..])).unwrap();
        output.truncate(written);
        output
    }

    #[test]
    fn every_level_computes_the_definition() {
        for shape in SHAPES {
            let mut input = signal(LENGTH);
            let expected = by_definition(&input, shape);
            for level in Level::available() {
                let mut resampler = Resampler::new(bank(shape, level), 1);
                let output = in_blocks(&mut resampler, &mut input, &[1 << 20], expected.len() + 20);
                assert_eq!(output.len(), expected.len() + 20);
                for (i, (got, wanted)) in output.iter().zip(&expected).enumerate() {
                    assert!((got - wanted).abs() < 1e-6, "{shape:?} {level:?} output {i}: {got} {wanted}");
                }
            }
        }
    }

    #[test]
    fn blocks_of_any_length_give_the_same_stream() {
        for shape in SHAPES {
            for level in Level::available() {
                let mut input = signal(LENGTH);
                let mut resampler = Resampler::new(bank(shape, level), 1);
                let room = by_definition(&input, shape).len() + 20;
                let whole = in_blocks(&mut resampler, &mut input, &[1 << 20], room);
                let streamed = in_blocks(&mut resampler, &mut input, &[1, 0, 7, 160, 2, 1025, 33], room);
                assert_eq!(whole, streamed, "{shape:?} {level:?}");
            }
        }
    }

    #[test]
    fn channels_do_not_mix() {
        for shape in SHAPES {
            let length = LENGTH.min(200);
            let (left, right) = (signal(length), vec![0.25; length]);
            let mut both: Vec<f32> = left.iter().zip(&right).flat_map(|(l, r)| [*l, *r]).collect();
            let bank = bank(shape, Level::detect());
            let room = by_definition(&left, shape).len() + 20;
            let output = in_blocks(&mut Resampler::new(bank.clone(), 2), &mut both, &[66, 134], 2 * room);
            for (channel, mut input) in [left, right].into_iter().enumerate() {
                let alone = in_blocks(&mut Resampler::new(bank.clone(), 1), &mut input, &[length], room);
                let part: Vec<f32> = output.iter().skip(channel).step_by(2).copied().collect();
                assert_eq!(part, alone, "{shape:?} channel {channel}");
            }
        }
    }

    #[test]
    fn sixteen_bit_samples_are_floats_rounded() {
        let shape = SHAPES[0];
        let mut input: Vec<i16> = signal(160).iter().map(|sample| (sample * 32768.0) as i16).collect();
        let mut floats: Vec<f32> = input.iter().map(|sample| f32::from(*sample) / 32768.0).collect();
        let (mut output, mut expected) = (vec![0i16; 320], vec![0f32; 320]);
        let bank = bank(shape, Level::detect());
        assert_eq!(Resampler::new(bank.clone(), 1).process(view(&mut input), view(&mut output)), Ok(320));
        assert_eq!(Resampler::new(bank, 1).process(view(&mut floats), view(&mut expected)), Ok(320));
        for (got, wanted) in output.iter().zip(&expected) {
            assert_eq!(f32::from(*got), (wanted * 32768.0 + 0.5).floor());
        }
    }

    #[test]
    fn an_output_too_short_takes_nothing() {
        let mut resampler = Resampler::new(bank(SHAPES[0], Level::detect()), 1);
        let mut input = signal(160);
        let mut output = vec![0.0; 320];
        let too_short = view(&mut output).part(0, 319).unwrap();
        assert_eq!(resampler.process(view(&mut input), too_short), Err(OutputTooShort { due_samples: 320 }));
        assert_eq!(
            resampler.flush(view(&mut output).part(0, 19).unwrap()),
            Err(OutputTooShort { due_samples: 20 })
        );
        assert_eq!(resampler.process(view(&mut input), view(&mut output)), Ok(320));
        for (got, wanted) in output.iter().zip(by_definition(&input, SHAPES[0])) {
            assert!((got - wanted).abs() < 1e-6);
        }
    }

    #[test]
    fn a_batch_is_its_streams() {
        let bank = bank(SHAPES[1], Level::detect());
        let mut batch = ResamplerBatch::new(bank.clone(), 3);
        let mut alone: Vec<Resampler> = (0..3).map(|_| Resampler::new(bank.clone(), 1)).collect();
        for round in 0..if cfg!(miri) { 1 } else { 5 } {
            for stream in [2, 0, 1] {
                let mut input = signal(LENGTH.min(480) + 7 * stream + round);
                let (mut one, mut other) = (vec![0.0; 200], vec![0.0; 200]);
                let written = batch.process(stream, view(&mut input), view(&mut one));
                assert_eq!(written, Some(alone[stream].process(view(&mut input), view(&mut other))));
                assert_eq!(one, other);
            }
        }
        let (mut one, mut other) = (vec![0.0; 20], vec![0.0; 20]);
        assert_eq!(batch.flush(1, view(&mut one)), Some(alone[1].flush(view(&mut other))));
        assert_eq!(one, other);
        assert_eq!(batch.reset(3), None);
        assert_eq!(batch.process(3, view(&mut one), view(&mut other)), None);
    }

    #[test]
    fn a_bank_of_numbers_that_do_not_fit_is_refused() {
        assert!(Bank::new(&[0.5; 9], 2, 1, 4).is_none());
        assert!(Bank::new(&[], 2, 1, 4).is_none());
        assert!(Bank::new(&[0.5; 8], 0, 1, 4).is_none());
        assert!(Bank::new(&[0.5; 8], 8, 1, 4).is_none());
    }
}
