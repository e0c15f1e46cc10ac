//! This crate's inner loops against rubato's resamplers, on blocks of 20 ms: time, delay, and what of a tone at the edge
//! of the telephone band and of one beyond Nyquist comes out. Run: cargo bench -p wildfire-dsp
//!
//! Ours gets taps of no meaning here: its time does not depend on them, and its quality is measured with the real ones
//! by `./wildfire bench native`. Rubato's `Fft` is what it recommends for fixed ratios, `Async::new_sinc` what allows a
//! short delay.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{
    Async, Fft, FixedAsync, FixedSync, SincInterpolationParameters, SincInterpolationType, WindowFunction,
};
use wildfire_dsp::{Bank, Resampler, SampleType, Samples};

const PAIRS: [(usize, usize, usize); 2] = [(8000, 16000, 56), (24000, 8000, 168)];
const ROUNDS: usize = 200;
const BLOCKS_PER_ROUND: usize = 100;

fn main() {
    println!("{:34} {:>9} {:>9} {:>12} {:>12}", "20 ms block", "us", "delay ms", "3.4 kHz dB", "beyond dB");
    for (from_hz, to_hz, taps) in PAIRS {
        let mut ours = ours(from_hz, to_hz, taps);
        println!("{from_hz:5} to {to_hz:5} {:20} {:9.2}", "wildfire-dsp", median_us(&mut ours, from_hz));
        let block = from_hz / 50;
        let fft = Fft::<f32>::new(from_hz, to_hz, block, 1, FixedSync::Input).expect("rates");
        report("rubato Fft", Box::new(fft), from_hz, to_hz);
        for sinc_len in [64, 128, 256] {
            // As long in time whatever the rates: the filter stretches when the rate falls.
            let length = sinc_len * (from_hz / to_hz).max(1);
            let sinc = Async::<f32>::new_sinc(
                to_hz as f64 / from_hz as f64,
                1.0,
                &sinc(length),
                block,
                1,
                FixedAsync::Input,
            );
            report(&format!("rubato sinc {length}"), Box::new(sinc.expect("parameters")), from_hz, to_hz);
        }
    }
}

fn sinc(length: usize) -> SincInterpolationParameters {
    SincInterpolationParameters {
        sinc_len: length,
        f_cutoff: None,
        // Nearest is exact for these ratios: every output falls on a point of the table.
        oversampling_factor: 6,
        interpolation: SincInterpolationType::Nearest,
        window: WindowFunction::BlackmanHarris2,
    }
}

type Block<'a> = Box<dyn FnMut(&[f32], &mut Vec<f32>) + 'a>;

fn ours(from_hz: usize, to_hz: usize, taps_per_phase: usize) -> Block<'static> {
    let (interpolation, decimation) = ((to_hz / from_hz).max(1), (from_hz / to_hz).max(1));
    let taps = vec![1.0 / taps_per_phase as f32; interpolation * taps_per_phase];
    let bank = Arc::new(Bank::new(&taps, interpolation, decimation, 28).expect("a bank"));
    let mut resampler = Resampler::new(bank, 1);
    let mut memory = vec![0.0f32; from_hz / 50];
    Box::new(move |input, output| {
        memory.copy_from_slice(input);
        // SAFETY: both are alive until `process` returns.
        let view = |samples: &mut [f32]| unsafe {
            Samples::new(samples.as_mut_ptr().cast(), SampleType::F32, samples.len())
        };
        resampler.process(view(&mut memory), view(output)).expect("room");
    })
}

fn report(name: &str, mut resampler: Box<dyn rubato::Resampler<f32>>, from_hz: usize, to_hz: usize) {
    let delay_ms = resampler.output_delay() as f64 * 1000.0 / to_hz as f64;
    let mut written = 0;
    let mut block: Block = Box::new(|input, output| {
        let room = output.len();
        let source = SequentialSlice::new(input, 1, input.len()).expect("a block");
        let mut target = SequentialSlice::new_mut(output, 1, room).expect("a block");
        written = resampler.process_into_buffer(&source, &mut target, None).expect("room").1;
    });
    let us = median_us(&mut block, from_hz);
    drop(block);
    let mut level = |hz: f64| level_db(resampler.as_mut(), hz, from_hz);
    let (edge, beyond) = (level(3400.0), if to_hz < from_hz { level(4600.0) } else { f64::NAN });
    println!("{from_hz:5} to {to_hz:5} {name:20} {us:9.2} {delay_ms:9.2} {edge:12.2} {beyond:12.1}");
    black_box(written);
}

fn median_us(block: &mut Block, from_hz: usize) -> f64 {
    let input = tone(440.0, from_hz, from_hz / 50);
    let mut output = vec![0.0f32; 4096];
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..BLOCKS_PER_ROUND {
                block(black_box(&input), &mut output);
            }
            start.elapsed().as_secs_f64() * 1e6 / BLOCKS_PER_ROUND as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

/// What comes out of a tone of this frequency, against what went in.
fn level_db(resampler: &mut dyn rubato::Resampler<f32>, hz: f64, from_hz: usize) -> f64 {
    resampler.reset();
    let block = from_hz / 50;
    let input = tone(hz, from_hz, 50 * block);
    let mut output = vec![0.0f32; 4096];
    let (mut power, mut count) = (0.0, 0);
    for (index, part) in input.chunks_exact(block).enumerate() {
        let source = SequentialSlice::new(part, 1, block).expect("a block");
        let mut target = SequentialSlice::new_mut(&mut output, 1, 4096).expect("a block");
        let (_, written) = resampler.process_into_buffer(&source, &mut target, None).expect("room");
        if (20..40).contains(&index) {
            power += output[..written].iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>();
            count += written;
        }
    }
    10.0 * (power / count as f64 / 0.125).log10()
}

fn tone(hz: f64, rate_hz: usize, length: usize) -> Vec<f32> {
    let step = 2.0 * std::f64::consts::PI * hz / rate_hz as f64;
    (0..length).map(|i| (0.5 * (step * i as f64).sin()) as f32).collect()
}
