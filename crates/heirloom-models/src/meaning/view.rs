//! What a network sees of a picture, as its `preprocessor_config.json` says.

use serde::Deserialize;

use crate::sheet::{Kernel, Sheet};

/// How a picture becomes what a network sees.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct View {
    pub(super) width: usize,
    pub(super) height: usize,
    /// How long the shorter side of a picture becomes, of which the middle is seen; without, all of a picture is
    /// squeezed into the view.
    shorter: Option<usize>,
    kernel: Kernel,
    /// What light, from 0 to 255, is multiplied by.
    factor: f32,
    mean: [f32; 3],
    deviation: [f32; 3],
}

/// `preprocessor_config.json`, as far as pictures need it.
#[derive(Debug, Default, Deserialize)]
struct Config {
    size: Option<Size>,
    crop_size: Option<Size>,
    resample: Option<u8>,
    do_center_crop: Option<bool>,
    do_rescale: Option<bool>,
    rescale_factor: Option<f32>,
    do_normalize: Option<bool>,
    image_mean: Option<[f32; 3]>,
    image_std: Option<[f32; 3]>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Size {
    Side(usize),
    Sides { height: usize, width: usize },
    Shorter { shortest_edge: usize },
}

/// What CLIP sees.
const CLIP_SIDE: usize = 224;
const CLIP_MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
const CLIP_DEVIATION: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];
/// More is not what a network sees, but a mistake.
const MOST: usize = 1_024;
/// The number of the kernel of three that looks at four pixels (Pillow's BICUBIC).
const CUBIC: u8 = 3;

impl View {
    /// As the file says, or as CLIP does where there is none.
    pub(super) fn read(config: Option<&[u8]>) -> Result<Self, String> {
        let config: Config = match config {
            None => Config::default(),
            Some(bytes) => serde_json::from_slice(bytes)
                .map_err(|error| format!("its preprocessor_config.json cannot be read: {error}"))?,
        };
        let size = config.size.unwrap_or(Size::Side(CLIP_SIDE));
        // Who names both sides squeezes pictures, unless something is cut off after that.
        let is_cut = config
            .do_center_crop
            .unwrap_or(!matches!(size, Size::Sides { .. }));
        let sides = |size: Size| match size {
            Size::Side(side)
            | Size::Shorter {
                shortest_edge: side,
            } => (side, side),
            Size::Sides { height, width } => (width, height),
        };
        let (width, height) = sides(config.crop_size.filter(|_| is_cut).unwrap_or(size));
        let shorter = is_cut.then(|| {
            let (width, height) = sides(size);
            width.min(height)
        });
        let is_possible = |side: usize| (1..=MOST).contains(&side);
        if ![width, height].into_iter().all(is_possible) || !shorter.is_none_or(is_possible) {
            return Err(format!(
                "its preprocessor_config.json wants pictures of {width} by {height} pixels"
            ));
        }
        let (mean, deviation) = match config.do_normalize {
            Some(false) => ([0.0; 3], [1.0; 3]),
            _ => (
                config.image_mean.unwrap_or(CLIP_MEAN),
                config.image_std.unwrap_or(CLIP_DEVIATION),
            ),
        };
        if deviation.iter().any(|it| it.is_nan() || *it <= 0.0) {
            return Err(
                "its preprocessor_config.json has an image_std that is not above 0".to_owned(),
            );
        }
        Ok(Self {
            width,
            height,
            shorter,
            kernel: match config.resample {
                None | Some(CUBIC) => Kernel::Cubic,
                Some(_) => Kernel::Linear,
            },
            factor: match config.do_rescale {
                Some(false) => 1.0,
                _ => config.rescale_factor.unwrap_or(1.0 / 255.0),
            },
            mean,
            deviation,
        })
    }

    /// What is seen of a picture, channel by channel.
    pub(super) fn of(&self, sheet: &Sheet) -> Vec<f32> {
        let (width, height) = (sheet.width(), sheet.height());
        let (across, down) = match self.shorter {
            None => (0.0..width as f32, 0.0..height as f32),
            Some(shorter) => {
                // As much of the picture as is within the view when its shorter side is that long.
                let scale = width.min(height) as f32 / shorter as f32;
                let middle = |length: usize, seen: usize| {
                    let seen = seen as f32 * scale;
                    let first = (length as f32 - seen) / 2.0;
                    first..first + seen
                };
                (middle(width, self.width), middle(height, self.height))
            }
        };
        let mut view = sheet.scaled(&across, &down, (self.width, self.height), self.kernel);
        let size = self.width * self.height;
        for (channel, values) in view.chunks_exact_mut(size).enumerate() {
            for value in values {
                let light = value.clamp(0.0, 255.0) * self.factor;
                *value = (light - self.mean[channel]) / self.deviation[channel];
            }
        }
        view
    }

    /// A picture of nothing.
    pub(super) fn nothing(&self) -> Vec<f32> {
        vec![0.0; 3 * self.width * self.height]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red on the left, green in the middle, blue on the right.
    fn flag(width: usize, height: usize) -> Sheet {
        let pixel = |at: usize| match at % width * 3 / width {
            0 => [255, 0, 0],
            1 => [0, 255, 0],
            _ => [0, 0, 255],
        };
        let pixels = (0..width * height).flat_map(pixel);
        Sheet::new(width, height, pixels.collect()).unwrap()
    }

    /// How much of each colour is in a view.
    fn colours(config: Option<&str>, sheet: &Sheet) -> [f32; 3] {
        let view = View::read(config.map(str::as_bytes)).unwrap();
        let seen = view.of(sheet);
        let size = view.width * view.height;
        assert_eq!(seen.len(), 3 * size);
        [0, 1, 2].map(|channel| {
            let values = seen[channel * size..][..size].iter();
            let light = values.map(|value| value * view.deviation[channel] + view.mean[channel]);
            light.sum::<f32>() / size as f32
        })
    }

    const SIGLIP: &str = r#"{"do_resize": true, "size": {"height": 256, "width": 256}, "resample": 2,
        "do_rescale": true, "rescale_factor": 0.00392156862745098, "do_normalize": true,
        "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "image_processor_type": "SiglipImageProcessor"}"#;

    #[test]
    fn clip_sees_the_middle_and_siglip_all() {
        let wide = flag(900, 300);
        for config in [
            None,
            Some("{}"),
            Some(r#"{"size": {"shortest_edge": 224}, "crop_size": {"height": 224, "width": 224}}"#),
            Some(r#"{"size": 224, "crop_size": 224, "do_center_crop": true}"#),
        ] {
            let [red, green, blue] = colours(config, &wide);
            assert!(
                green > 0.98 && red < 0.02 && blue < 0.02,
                "{config:?}: {red} {green} {blue}"
            );
        }
        let all = colours(Some(SIGLIP), &wide);
        let is_third = |share: &f32| (share - 1.0 / 3.0).abs() < 0.01;
        assert!(all.iter().all(is_third), "{all:?}");
        // However small or lean it is.
        for (width, height) in [(1, 1), (3, 2_000), (2_000, 3), (50, 40)] {
            let sum: f32 = colours(None, &flag(width, height)).iter().sum();
            assert!((sum - 1.0).abs() < 0.05, "{width} by {height}: {sum}");
        }
    }

    #[test]
    fn a_view_that_nobody_can_see_is_refused() {
        for (config, why) in [
            ("[", "cannot be read"),
            (
                r#"{"size": {"height": 0, "width": 5}}"#,
                "wants pictures of",
            ),
            (r#"{"size": 100000}"#, "wants pictures of"),
            (r#"{"image_std": [0.5, 0.0, 0.5]}"#, "image_std"),
        ] {
            let error = View::read(Some(config.as_bytes())).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
