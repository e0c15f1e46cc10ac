//! Power spectra of four frames of 400 real samples at once, a frame to each lane. The same transform as its TypeScript
//! twin, `power-spectrum.ts`, which tells the mathematics: 200 complex points as 5 x 5 x 4 x 2, self-sorting.

use std::f64::consts::PI;
use std::ops::{Add, Mul, Sub};

pub(crate) const FRAME_SAMPLES: usize = 400;
pub(crate) const POWER_BINS: usize = FRAME_SAMPLES / 2 + 1;
/// Frames worked on at once.
pub(crate) const FRAMES: usize = 4;

const POINTS: usize = FRAME_SAMPLES / 2;

/// One number of each frame.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(crate) struct Lanes(pub(crate) [f64; FRAMES]);

impl Lanes {
    pub(crate) const ZERO: Self = Self([0.0; FRAMES]);

    #[inline(always)]
    pub(crate) fn each(a: Self, b: Self, apply: impl Fn(f64, f64) -> f64) -> Self {
        let mut result = Self::ZERO;
        for lane in 0..FRAMES {
            result.0[lane] = apply(a.0[lane], b.0[lane]);
        }
        result
    }
}

impl Add for Lanes {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self::each(self, other, |a, b| a + b)
    }
}

impl Sub for Lanes {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self::each(self, other, |a, b| a - b)
    }
}

impl Mul<f64> for Lanes {
    type Output = Self;

    #[inline(always)]
    fn mul(self, factor: f64) -> Self {
        Self(self.0.map(|value| value * factor))
    }
}

impl Mul for Lanes {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self::each(self, other, |a, b| a * b)
    }
}

/// A complex number of each frame.
#[derive(Clone, Copy)]
struct Complex {
    re: Lanes,
    im: Lanes,
}

impl Complex {
    const ZERO: Self = Self { re: Lanes::ZERO, im: Lanes::ZERO };

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        Self { re: self.re - other.re, im: self.im - other.im }
    }

    #[inline(always)]
    fn times(self, factor: f64) -> Self {
        Self { re: self.re * factor, im: self.im * factor }
    }

    /// Times i.
    #[inline(always)]
    fn quarter_turn(self) -> Self {
        Self { re: Lanes::ZERO - self.im, im: self.re }
    }

    #[inline(always)]
    fn turned(self, (cos, sin): (f64, f64)) -> Self {
        Self { re: self.re * cos - self.im * sin, im: self.re * sin + self.im * cos }
    }
}

type Turns = Vec<(f64, f64)>;

pub(crate) struct PowerSpectrum {
    a: Vec<Complex>,
    b: Vec<Complex>,
    turns_first: Turns,
    turns_second: Turns,
    turns_third: Turns,
    turns_real: Turns,
}

impl PowerSpectrum {
    pub(crate) fn new() -> Self {
        Self {
            a: vec![Complex::ZERO; POINTS],
            b: vec![Complex::ZERO; POINTS],
            turns_first: turns_after(200, 5, 1),
            turns_second: turns_after(40, 5, 5),
            turns_third: turns_after(8, 4, 25),
            turns_real: (0..POINTS).map(|k| unit(k, FRAME_SAMPLES)).collect(),
        }
    }

    /// Frame l is samples[l * hop .. l * hop + 400), weighed by `window`.
    #[inline(always)]
    pub(crate) fn power(&mut self, samples: &[f32], hop: usize, window: &[f64], target: &mut [Lanes]) {
        let frames: [&[f32]; FRAMES] = std::array::from_fn(|l| &samples[l * hop..l * hop + FRAME_SAMPLES]);
        let weighed = |i: usize| Lanes(frames.map(|frame| f64::from(frame[i]))) * window[i];
        for (i, point) in self.a.iter_mut().enumerate() {
            *point = Complex { re: weighed(2 * i), im: weighed(2 * i + 1) };
        }
        radix5::<1>(&self.a, &mut self.b, &self.turns_first);
        radix5::<5>(&self.b, &mut self.a, &self.turns_second);
        radix4::<25>(&self.a, &mut self.b, &self.turns_third);
        power_of_real(&self.b, &self.turns_real, target);
    }
}

#[inline(always)]
fn radix5<const STRIDE: usize>(x: &[Complex], y: &mut [Complex], turns: &[(f64, f64)]) {
    const HOP: usize = POINTS / 5;
    let [(cos_72, sin_72), (cos_144, sin_144)] = [unit(4, 5), unit(3, 5)];
    for p in 0..HOP / STRIDE {
        for q in 0..STRIDE {
            let at = q + STRIDE * p;
            let x0 = x[at];
            let (x1, x2, x3, x4) = (x[at + HOP], x[at + 2 * HOP], x[at + 3 * HOP], x[at + 4 * HOP]);
            let (sum14, sum23) = (x1.plus(x4), x2.plus(x3));
            let (difference14, difference23) = (x1.minus(x4), x2.minus(x3));
            let c1 = x0.plus(sum14.times(cos_72)).plus(sum23.times(cos_144));
            let c2 = x0.plus(sum14.times(cos_144)).plus(sum23.times(cos_72));
            let s1 = difference14.times(sin_72).plus(difference23.times(sin_144)).quarter_turn();
            let s2 = difference14.times(sin_144).minus(difference23.times(sin_72)).quarter_turn();
            let to = q + 5 * STRIDE * p;
            y[to] = x0.plus(sum14).plus(sum23).turned(turns[to]);
            y[to + STRIDE] = c1.minus(s1).turned(turns[to + STRIDE]);
            y[to + 2 * STRIDE] = c2.minus(s2).turned(turns[to + 2 * STRIDE]);
            y[to + 3 * STRIDE] = c2.plus(s2).turned(turns[to + 3 * STRIDE]);
            y[to + 4 * STRIDE] = c1.plus(s1).turned(turns[to + 4 * STRIDE]);
        }
    }
}

#[inline(always)]
fn radix4<const STRIDE: usize>(x: &[Complex], y: &mut [Complex], turns: &[(f64, f64)]) {
    const HOP: usize = POINTS / 4;
    for p in 0..HOP / STRIDE {
        for q in 0..STRIDE {
            let at = q + STRIDE * p;
            let (x0, x1, x2, x3) = (x[at], x[at + HOP], x[at + 2 * HOP], x[at + 3 * HOP]);
            let (sum02, sum13) = (x0.plus(x2), x1.plus(x3));
            let (difference02, turned13) = (x0.minus(x2), x1.minus(x3).quarter_turn());
            let to = q + 4 * STRIDE * p;
            y[to] = sum02.plus(sum13).turned(turns[to]);
            y[to + STRIDE] = difference02.minus(turned13).turned(turns[to + STRIDE]);
            y[to + 2 * STRIDE] = sum02.minus(sum13).turned(turns[to + 2 * STRIDE]);
            y[to + 3 * STRIDE] = difference02.plus(turned13).turned(turns[to + 3 * STRIDE]);
        }
    }
}

/// The last factor, 2, and the step from a complex transform of 200 to the real one of 400.
#[inline(always)]
fn power_of_real(x: &[Complex], turns: &[(f64, f64)], target: &mut [Lanes]) {
    let half = POINTS / 2;
    let (first, middle) = (x[0].plus(x[half]), x[0].minus(x[half]));
    let (even, odd) = (first.re + first.im, first.re - first.im);
    target[0] = even * even;
    target[POINTS] = odd * odd;
    target[half] = middle.re * middle.re + middle.im * middle.im;
    for k in 1..half {
        let z = x[k].plus(x[k + half]);
        let y = x[half - k].minus(x[POINTS - k]);
        let (er, ei) = (z.re + y.re, z.im - y.im);
        let odd = Complex { re: z.im + y.im, im: y.re - z.re };
        let turned = odd.turned(turns[k]);
        let squares = er * er + ei * ei + odd.re * odd.re + odd.im * odd.im;
        let cross = (er * turned.re + ei * turned.im) * 0.5;
        let sum = squares * 0.25;
        target[k] = sum + cross;
        target[POINTS - k] = sum - cross;
    }
}

/// The factors that a pass of so many points leaves to be applied to its output.
fn turns_after(length: usize, radix: usize, stride: usize) -> Turns {
    (0..POINTS).map(|i| unit(i / (stride * radix) * (i / stride % radix), length)).collect()
}

/// e^(-2 pi i k / n) as (cos, sin).
fn unit(k: usize, n: usize) -> (f64, f64) {
    let angle = -2.0 * PI * k as f64 / n as f64;
    (angle.cos(), angle.sin())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_discrete_fourier_transform() {
        let hop = 7;
        let samples: Vec<f32> = (0..FRAME_SAMPLES + 3 * hop).map(|i| ((i * i) as f32 * 0.37).sin()).collect();
        let window: Vec<f64> = (0..FRAME_SAMPLES).map(|i| 0.5 + i as f64 / 1000.0).collect();
        let mut power = vec![Lanes::ZERO; POWER_BINS];
        PowerSpectrum::new().power(&samples, hop, &window, &mut power);
        for lane in 0..FRAMES {
            for bin in [0, 1, 2, 57, 99, 100, 101, 150, 199, 200] {
                let (mut re, mut im) = (0.0, 0.0);
                for i in 0..FRAME_SAMPLES {
                    let value = f64::from(samples[lane * hop + i]) * window[i];
                    let (cos, sin) = unit(bin * i % FRAME_SAMPLES, FRAME_SAMPLES);
                    re += value * cos;
                    im += value * sin;
                }
                let expected = re * re + im * im;
                assert!((power[bin].0[lane] - expected).abs() < 1e-9, "lane {lane} bin {bin}");
            }
        }
    }
}
