//! Small valid WAVE files, each with its own bytes.

/// The bytes of a hundredth of a second of sound: PCM, one channel, 8,000 samples a second of 16
/// bits. Different seeds give different bytes: the seed is in its samples.
#[must_use]
pub fn tiny(seed: u64) -> Vec<u8> {
    let mut samples: Vec<u8> = (0..80_i16)
        .flat_map(|n| ((n % 16 - 8) * 512).to_le_bytes())
        .collect();
    samples[..8].copy_from_slice(&seed.to_le_bytes());
    let mut file = b"RIFF".to_vec();
    file.extend((36 + samples.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend([1_u16, 1].iter().flat_map(|n| n.to_le_bytes()));
    file.extend([8_000_u32, 16_000].iter().flat_map(|n| n.to_le_bytes()));
    file.extend([2_u16, 16].iter().flat_map(|n| n.to_le_bytes()));
    file.extend(b"data");
    file.extend((samples.len() as u32).to_le_bytes());
    file.extend(samples);
    file
}
