//! The faces of the frames of a film, put together: all that is seen of one person is one face, so that a film does not
//! flood the pages of people.
//!
//! Whoever is seen in two frames is known again by the face, as in two pictures; a face that is not seen clearly, by its place
//! in the next frame. Two faces of one frame are two people's.

use super::{CLEAR, Face, Faces, SAME_FACE, SAME_PLACE};

/// How well somebody has to be seen who is seen in one frame alone: what is no face is found in one and not in the next.
const SURE: f32 = 0.35;

/// What is seen of somebody.
struct Seen {
    /// As it is seen best.
    best: Face,
    /// As it was seen last, in which frame.
    last: (usize, Face),
    /// The sum of the directions of all that was seen clearly, by which it is known again, and how many these are.
    sum: Vec<f32>,
    count: f32,
    moments: Vec<u64>,
}

impl Faces {
    /// Of the faces of each of the frames of a film, with when it is seen, in their order.
    #[must_use]
    pub fn of_frames(frames: Vec<(u64, Vec<Face>)>) -> Self {
        let mut all: Vec<Seen> = Vec::new();
        for (number, (at_ms, mut faces)) in frames.into_iter().enumerate() {
            // Who is seen best chooses first.
            faces.sort_by(|a, b| b.quality.total_cmp(&a.quality));
            for face in faces {
                let face = Face {
                    at_ms: Some(at_ms),
                    ..face
                };
                let one = Seen::of(number, at_ms, face);
                let open = all.iter_mut().filter(|seen| !seen.moments.contains(&at_ms));
                let alike = open.filter_map(|seen| Some((seen.likeness(&one)?, seen)));
                match alike.max_by(|(a, _), (b, _)| a.total_cmp(b)) {
                    Some((_, seen)) => seen.take(one),
                    None => all.push(one),
                }
            }
        }
        all.retain(Seen::is_clear);
        let mut all = join(all);
        all.retain(Seen::is_sure);
        all.sort_by_key(|seen| (seen.moments.first().copied(), seen.best.area));
        let faces = all.into_iter().map(|seen| Face {
            moments: seen.moments,
            ..seen.best
        });
        Self {
            faces: faces.collect(),
        }
    }
}

/// Puts those together that turn out to be one: somebody turned away, and looks here again.
fn join(all: Vec<Seen>) -> Vec<Seen> {
    let mut all: Vec<Option<Seen>> = all.into_iter().map(Some).collect();
    let mut queue: Vec<usize> = (0..all.len()).collect();
    while let Some(at) = queue.pop() {
        let Some(mut own) = all[at].take() else {
            continue;
        };
        let others = all.iter().enumerate();
        let alike = others.filter_map(|(other, seen)| {
            let seen = seen.as_ref()?;
            let likeness = own.likeness_to(&seen.sum, seen.count);
            let are_at_once = || own.moments.iter().any(|it| seen.moments.contains(it));
            (likeness >= SAME_FACE && !are_at_once()).then_some((likeness, other))
        });
        let best = alike.max_by(|(a, _), (b, _)| a.total_cmp(b));
        if let Some(other) = best.and_then(|(_, other)| all[other].take()) {
            own.take(other);
            queue.push(at);
        }
        all[at] = Some(own);
    }
    all.into_iter().flatten().collect()
}

impl Seen {
    fn of(frame: usize, at_ms: u64, face: Face) -> Self {
        let is_clear = face.quality >= CLEAR;
        let direction = is_clear.then(|| face.print.direction());
        Self {
            sum: direction.unwrap_or_default(),
            count: f32::from(u8::from(is_clear)),
            moments: vec![at_ms],
            last: (frame, face.clone()),
            best: face,
        }
    }

    fn take(&mut self, other: Self) {
        if other.best.quality > self.best.quality {
            self.best = other.best;
        }
        if other.last.0 > self.last.0 {
            self.last = other.last;
        }
        if self.sum.is_empty() {
            self.sum = other.sum;
        } else {
            let both = self.sum.iter_mut().zip(other.sum);
            both.for_each(|(sum, number)| *sum += number);
        }
        self.count += other.count;
        self.moments.extend(other.moments);
        self.moments.sort_unstable();
    }

    /// How like one face of a frame it is, where it may be the same.
    fn likeness(&self, one: &Self) -> Option<f32> {
        let ((before, last), (frame, face)) = (&self.last, &one.last);
        if self.is_clear() && one.is_clear() {
            let likeness = self.likeness_to(&one.sum, one.count);
            return (likeness >= SAME_FACE).then_some(likeness);
        }
        // As much as what is just known again.
        let stays = before + 1 == *frame && last.area.overlap(face.area) >= SAME_PLACE;
        stays.then_some(SAME_FACE)
    }

    /// How like others its faces are, on average.
    fn likeness_to(&self, sum: &[f32], count: f32) -> f32 {
        let both = self.sum.iter().zip(sum).map(|(a, b)| a * b).sum::<f32>();
        both / (self.count * count).max(1.0)
    }

    fn is_clear(&self) -> bool {
        self.count > 0.0
    }

    fn is_sure(&self) -> bool {
        self.moments.len() > 1 || self.best.quality >= SURE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Area, face::Faceprint};

    const ANNA: [f32; 3] = [1.0, 0.0, 0.0];
    const ANNA_AGAIN: [f32; 3] = [0.9, 0.3, 0.0];
    const EMIL: [f32; 3] = [0.0, 0.0, 1.0];

    fn face(look: [f32; 3], left: f64, quality: f32) -> Face {
        Face {
            area: Area::new([left, 0.2, 0.1, 0.1]).unwrap(),
            at_ms: None,
            moments: Vec::new(),
            probability: 1.0,
            quality,
            landmarks: Vec::new(),
            print: Faceprint::of("m", &look),
        }
    }

    /// When each is seen best, and at which moments, of frames every two seconds.
    fn seen(frames: &[&[Face]]) -> Vec<(u64, Vec<u64>)> {
        let frames = frames.iter().zip(0..);
        let frames = frames.map(|(faces, number)| (number * 2000, faces.to_vec()));
        let faces = Faces::of_frames(frames.collect()).faces.into_iter();
        faces
            .map(|face| (face.at_ms.unwrap(), face.moments))
            .collect()
    }

    #[test]
    fn somebody_is_one_face_with_all_moments_wherever_they_walk() {
        let told = seen(&[
            &[face(ANNA, 0.1, 0.5)],
            &[face(ANNA_AGAIN, 0.3, 0.8), face(EMIL, 0.6, 0.6)],
            &[],
            &[face(ANNA, 0.8, 0.4), face(EMIL, 0.2, 0.7)],
        ]);
        assert_eq!(
            told,
            [(2000, vec![0, 2000, 6000]), (6000, vec![2000, 6000])]
        );
    }

    #[test]
    fn two_faces_of_one_frame_are_of_two_people() {
        let told = seen(&[&[face(ANNA, 0.1, 0.5), face(ANNA, 0.6, 0.6)]]);
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn who_is_not_seen_clearly_is_known_by_the_place_alone() {
        // She turns away and back.
        let told = seen(&[
            &[face(ANNA, 0.1, 0.5)],
            &[face(EMIL, 0.11, 0.1)],
            &[face(ANNA, 0.12, 0.5)],
        ]);
        assert_eq!(told, [(0, vec![0, 2000, 4000])]);
        // Who is never seen clearly is not told, nor what is seen once and hardly.
        let unclear = seen(&[&[face(EMIL, 0.5, 0.1)], &[face(EMIL, 0.5, 0.15)]]);
        assert_eq!(unclear, []);
        assert_eq!(seen(&[&[face(EMIL, 0.5, 0.3)], &[], &[]]), []);
    }
}
