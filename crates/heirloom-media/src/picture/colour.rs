//! Colours to sRGB: by ICC profile, by code points, from inks, and from light that is brighter than paper.

use moxcms::{
    CicpProfile, ColorProfile, DataColorSpace, Layout, MatrixCoefficients, RenderingIntent,
    TransformOptions,
};

use super::raster::Raster;

/// How far a profile may be from sRGB, of 255, and still be taken for it.
const SAME: u8 = 1;

/// Colours that tell sRGB from everything else.
const PROBES: [u8; 27] = [
    255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 128, 128, 128, 30, 30, 30, 200, 120, 60, 60,
    120, 200, 10, 160, 90,
];

const fn options() -> TransformOptions {
    TransformOptions {
        rendering_intent: RenderingIntent::RelativeColorimetric,
        allow_use_cicp_transfer: true,
        prefer_fixed_point: true,
        interpolation_method: moxcms::InterpolationMethod::Linear,
        barycentric_weight_scale: moxcms::BarycentricWeightScale::Low,
    }
}

/// Reads an ICC profile of grey or of red, green and blue; nothing where it is sRGB, for then nothing
/// is to be done.
pub(super) fn read_profile(icc: &[u8]) -> Result<Option<Box<ColorProfile>>, ()> {
    let profile = ColorProfile::new_from_slice(icc).map_err(|_| ())?;
    match profile.color_space {
        DataColorSpace::Rgb => {}
        DataColorSpace::Gray => return Ok(Some(Box::new(profile))),
        _ => return Err(()),
    }
    let mut seen = PROBES;
    profile
        .create_transform_8bit(
            Layout::Rgb,
            &ColorProfile::new_srgb(),
            Layout::Rgb,
            options(),
        )
        .and_then(|transform| transform.transform(&PROBES, &mut seen))
        .map_err(|_| ())?;
    let is_same = PROBES
        .iter()
        .zip(&seen)
        .all(|(a, b)| a.abs_diff(*b) <= SAME);
    Ok((!is_same).then(|| Box::new(profile)))
}

/// The meaning of colours that are described by code points (ITU-T H.273); nothing for sRGB, for what
/// is as good as sRGB, and for what is not known.
pub(super) fn profile_of_code_points(primaries: u16, transfer: u16) -> Option<Box<ColorProfile>> {
    // Pictures that state the transfer of films mean sRGB's, as every viewer takes it.
    let is_srgb_curve = matches!(transfer, 1 | 2 | 6 | 13 | 14 | 15);
    if matches!(primaries, 1 | 2) && is_srgb_curve {
        return None;
    }
    let transfer = if is_srgb_curve { 13 } else { transfer };
    let primaries = if primaries == 2 { 1 } else { primaries };
    let mut profile = ColorProfile::new_srgb();
    profile.cicp = None;
    // What it answers is always no; whether it did anything is told by what it left behind.
    profile.update_rgb_colorimetry_from_cicp(CicpProfile {
        color_primaries: u8::try_from(primaries).ok()?.try_into().ok()?,
        transfer_characteristics: u8::try_from(transfer).ok()?.try_into().ok()?,
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    });
    profile.cicp.is_some().then(|| Box::new(profile))
}

/// The same colours in sRGB; as they were where the profile does not allow it.
pub(super) fn to_srgb(raster: Raster, profile: &ColorProfile) -> Raster {
    let srgb = ColorProfile::new_srgb();
    let mut pixels = vec![0; raster.pixels.len()];
    let is_done = if profile.color_space == DataColorSpace::Gray {
        let layout = if raster.has_alpha {
            (Layout::GrayAlpha, Layout::Rgba)
        } else {
            (Layout::Gray, Layout::Rgb)
        };
        let grey = grey(&raster);
        profile
            .create_transform_8bit(layout.0, &srgb, layout.1, options())
            .and_then(|transform| transform.transform(&grey, &mut pixels))
    } else {
        let layout = if raster.has_alpha {
            Layout::Rgba
        } else {
            Layout::Rgb
        };
        profile
            .create_transform_8bit(layout, &srgb, layout, options())
            .and_then(|transform| transform.transform(&raster.pixels, &mut pixels))
    };
    match is_done {
        Ok(()) => Raster { pixels, ..raster },
        Err(_) => raster,
    }
}

/// One of three equal channels, with the opacity.
fn grey(raster: &Raster) -> Vec<u8> {
    if raster.has_alpha {
        let pixels = raster.pixels.as_chunks::<4>().0.iter();
        pixels
            .flat_map(|[grey, _, _, alpha]| [*grey, *alpha])
            .collect()
    } else {
        let pixels = raster.pixels.as_chunks::<3>().0.iter();
        pixels.map(|[grey, _, _]| *grey).collect()
    }
}

/// Red, green and blue of four inks (0 is none, 255 is full), by their profile or, without one, as if each
/// ink took away its own light.
pub(super) fn from_inks(inks: &[u8], icc: Option<&[u8]>) -> Vec<u8> {
    let mut pixels = vec![0; inks.len() / 4 * 3];
    let profile = icc
        .and_then(|icc| ColorProfile::new_from_slice(icc).ok())
        .filter(|profile| profile.color_space == DataColorSpace::Cmyk);
    if let Some(profile) = profile {
        let is_done = profile
            .create_transform_8bit(
                Layout::Rgba,
                &ColorProfile::new_srgb(),
                Layout::Rgb,
                options(),
            )
            .and_then(|transform| transform.transform(inks, &mut pixels));
        if is_done.is_ok() {
            return pixels;
        }
    }
    let light = |ink: u8, black: u8| {
        let (ink, black) = (u32::from(255 - ink), u32::from(255 - black));
        ((ink * black + 127) / 255) as u8
    };
    let targets = pixels.as_chunks_mut::<3>().0.iter_mut();
    for (target, [cyan, magenta, yellow, black]) in targets.zip(inks.as_chunks::<4>().0) {
        *target = [
            light(*cyan, *black),
            light(*magenta, *black),
            light(*yellow, *black),
        ];
    }
    pixels
}

/// Whether colours of that transfer (ITU-T H.273) are light that may be brighter than paper.
pub(super) const fn is_brighter_than_paper(transfer: u16) -> bool {
    matches!(transfer, 16 | 18)
}

/// How bright the brightest light is taken to be, in times of white paper: 1000 of 203 cd/m².
const BRIGHTEST: f32 = 1000.0 / 203.0;

/// From where on light is made less, in times of white paper.
const KNEE: f32 = 0.5;

/// sRGB of red, green, blue and opacity with `max` as the highest value, encoded as PQ (16) or HLG (18) of
/// Rec. ITU-R BT.2100: shadows and faces keep their light, and what is brighter than paper is drawn
/// together below it, by Reinhard's curve from half of paper white on.
pub(super) fn tone_map(samples: &[u16], max: u16, primaries: u16, transfer: u16) -> Vec<u8> {
    let light: Vec<f32> = (0..=max)
        .map(|value| {
            let value = f32::from(value) / f32::from(max.max(1));
            if transfer == 16 {
                pq(value)
            } else {
                hlg(value)
            }
        })
        .collect();
    let of = |value: u16| {
        light
            .get(usize::from(value.min(max)))
            .copied()
            .unwrap_or(0.0)
    };
    let mut out = Vec::with_capacity(samples.len());
    for [red, green, blue, alpha] in samples.as_chunks::<4>().0 {
        let mut rgb = [of(*red), of(*green), of(*blue)];
        if transfer == 18 {
            // The display's own gamma of 1.2, on the luminance.
            let [r, g, b] = rgb;
            let luminance = 0.2627 * r + 0.678 * g + 0.0593 * b;
            let gain = luminance.max(1e-6).powf(0.2) * BRIGHTEST;
            rgb = rgb.map(|channel| channel * gain);
        }
        let rgb = to_narrow(rgb, primaries).map(|channel| channel.max(0.0));
        let [r, g, b] = rgb;
        let peak = r.max(g).max(b);
        let scale = if peak > KNEE { knee(peak) / peak } else { 1.0 };
        for channel in rgb {
            out.push((srgb_curve(channel * scale) * 255.0 + 0.5) as u8);
        }
        out.push((u32::from(*alpha) * 255 / u32::from(max.max(1))).min(255) as u8);
    }
    out
}

fn knee(peak: f32) -> f32 {
    let reach = |peak: f32| (peak - KNEE) / (1.0 - KNEE);
    let (over, most) = (reach(peak), reach(BRIGHTEST));
    let drawn = over * (1.0 + over / (most * most)) / (1.0 + over);
    (KNEE + (1.0 - KNEE) * drawn).min(1.0)
}

/// SMPTE ST 2084, in times of white paper (203 cd/m²).
fn pq(value: f32) -> f32 {
    let (m1, m2) = (0.159_301_76_f32, 78.843_75_f32);
    let (c1, c2, c3) = (0.835_937_5_f32, 18.851_562_f32, 18.687_5_f32);
    let power = value.powf(1.0 / m2);
    let light = ((power - c1).max(0.0) / (c2 - c3 * power)).powf(1.0 / m1);
    light * 10_000.0 / 203.0
}

/// The scene's light of ARIB STD-B67, 0 to 1.
fn hlg(value: f32) -> f32 {
    if value <= 0.5 {
        value * value / 3.0
    } else {
        (((value - 0.559_910_7) / 0.178_832_77).exp() + 0.284_668_92) / 12.0
    }
}

/// Linear light of wide primaries as that of sRGB's.
fn to_narrow(rgb: [f32; 3], primaries: u16) -> [f32; 3] {
    let matrix = match primaries {
        9 => [
            [1.6605, -0.5876, -0.0728],
            [-0.1246, 1.1329, -0.0083],
            [-0.0182, -0.1006, 1.1187],
        ],
        11 | 12 => [
            [1.2249, -0.2247, 0.0],
            [-0.0420, 1.0419, 0.0],
            [-0.0196, -0.0786, 1.0979],
        ],
        _ => return rgb,
    };
    let [r, g, b] = rgb;
    matrix.map(|[x, y, z]| x * r + y * g + z * b)
}

pub(super) fn srgb_curve(light: f32) -> f32 {
    if light <= 0.003_130_8 {
        light * 12.92
    } else {
        1.055 * light.min(1.0).powf(1.0 / 2.4) - 0.055
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(red: u8, green: u8, blue: u8) -> Raster {
        Raster::new(1, 1, false, vec![red, green, blue]).unwrap()
    }

    #[test]
    fn a_profile_that_is_srgb_costs_nothing_and_another_changes_the_colours() {
        let icc = |profile: &ColorProfile| profile.encode().unwrap();
        assert!(
            read_profile(&icc(&ColorProfile::new_srgb()))
                .unwrap()
                .is_none()
        );
        let wide = read_profile(&icc(&ColorProfile::new_display_p3()))
            .unwrap()
            .unwrap();
        // The reddest red of a telephone is beyond sRGB; half of it is within, and redder there.
        assert_eq!(to_srgb(one(255, 0, 0), &wide).pixels, [255, 0, 0]);
        let [red, green, blue] = to_srgb(one(128, 60, 60), &wide).pixels[..] else {
            panic!()
        };
        assert!(red > 134 && green < 60 && blue < 62, "{red} {green} {blue}");
        assert!(read_profile(b"no profile").is_err());
    }

    #[test]
    fn code_points_of_telephones_mean_what_their_profile_does() {
        assert!(profile_of_code_points(1, 13).is_none());
        assert!(profile_of_code_points(2, 2).is_none());
        assert!(profile_of_code_points(1, 1).is_none());
        let by_points = profile_of_code_points(12, 13).unwrap();
        let by_name = ColorProfile::new_display_p3();
        for colour in [(128, 60, 60), (10, 200, 90), (240, 240, 10)] {
            let colour = one(colour.0, colour.1, colour.2);
            let (a, b) = (
                to_srgb(colour.clone(), &by_points),
                to_srgb(colour, &by_name),
            );
            for (a, b) in a.pixels.iter().zip(&b.pixels) {
                assert!(a.abs_diff(*b) <= 1, "{a} {b}");
            }
        }
    }

    #[test]
    fn inks_without_profile_take_away_their_light() {
        let inks = [0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0, 128, 0, 128];
        let seen = from_inks(&inks, None);
        assert_eq!(seen, [255, 255, 255, 0, 0, 0, 0, 255, 255, 127, 63, 127]);
    }

    #[test]
    fn bright_light_is_drawn_together_and_paper_stays_bright() {
        let grey = |value: u16, transfer: u16| {
            tone_map(&[value, value, value, 1023], 1023, 9, transfer)[0]
        };
        // Of PQ's ten bits, 593 is white paper and 1023 is 10,000 cd/m².
        assert_eq!(grey(0, 16), 0);
        let paper = grey(593, 16);
        assert!((215..235).contains(&paper), "{paper}");
        assert!(grey(700, 16) > paper && grey(1023, 16) == 255);
        assert_eq!(grey(0, 18), 0);
        assert!(grey(1023, 18) >= 254);
        let mut last = 0;
        for value in (0..1024).step_by(33) {
            let seen = grey(value, 18);
            assert!(seen >= last, "brighter light is never darker");
            last = seen;
        }
    }
}
