//! What the network sees of a picture.

use crate::sheet::{Kernel, Sheet};

/// What the network takes for no light and no dark, and how far it is from there to the end.
const MIDDLE: f32 = 127.0;
const REACH: f32 = 128.0;

/// All of a picture and its middle, each as a square with sides of so many pixels, channel by channel from -1 to 1.
pub(super) fn views(sheet: &Sheet, side: usize) -> [Vec<f32>; 2] {
    let (width, height) = (sheet.width(), sheet.height());
    let shorter = width.min(height);
    let all = |length: usize| 0.0..length as f32;
    let middle = |length: usize| {
        let first = (length - shorter) / 2;
        first as f32..(first + shorter) as f32
    };
    [(all(width), all(height)), (middle(width), middle(height))].map(|(across, down)| {
        let mut view = sheet.scaled(&across, &down, (side, side), Kernel::Linear);
        let light = view.iter_mut();
        light.for_each(|value| *value = (*value - MIDDLE) / REACH);
        view
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture that becomes lighter from left to right, with a red stripe on top.
    fn sheet(width: usize, height: usize) -> Sheet {
        let pixel = |at: usize| {
            let (x, y) = (at % width, at / width);
            let light = (x * 255 / width.max(2)) as u8;
            if y < height / 10 {
                [255, 0, 0]
            } else {
                [light; 3]
            }
        };
        let pixels = (0..width * height).flat_map(pixel).collect();
        Sheet::new(width, height, pixels).unwrap()
    }

    fn is_near(a: f32, b: f32) -> bool {
        (a - b).abs() < 0.06
    }

    #[test]
    fn both_views_are_squares_however_the_picture_lies() {
        for (width, height) in [
            (1, 1),
            (3, 700),
            (1200, 20),
            (26, 26),
            (400, 300),
            (90, 1000),
        ] {
            for view in views(&sheet(width, height), 26) {
                assert_eq!(view.len(), 3 * 26 * 26);
                assert!(view.iter().all(|value| (-1.0..=1.01).contains(value)));
            }
        }
        assert_eq!(Sheet::new(2, 2, vec![0; 11]), None);
        assert_eq!(Sheet::new(0, 2, Vec::new()), None);
    }

    #[test]
    fn the_whole_has_its_edges_and_the_middle_has_not() {
        let [whole, middle] = views(&sheet(800, 400), 20);
        let at =
            |view: &[f32], channel: usize, x: usize, y: usize| view[(channel * 20 + y) * 20 + x];
        // The stripe is red, in both.
        for view in [&whole, &middle] {
            assert!(is_near(at(view, 0, 10, 0), 1.0) && is_near(at(view, 1, 10, 0), -1.0));
        }
        assert!(is_near(at(&whole, 1, 0, 10), -0.94) && is_near(at(&whole, 1, 19, 10), 0.95));
        assert!(is_near(at(&middle, 1, 0, 10), -0.5) && is_near(at(&middle, 1, 19, 10), 0.5));
        assert!(is_near(at(&whole, 2, 10, 10), 0.0));
    }
}
