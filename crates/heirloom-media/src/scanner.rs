//! Scanners, which write the day of the scan where cameras write when a picture was taken.

/// Words in the models of scanners for paper, prints, slides and negatives, in lower case, that stand
/// in no camera's.
const MODELS: [&str; 16] = [
    "perfection",   // Epson
    "expression 1", // Epson 1600 to 13000
    "fastfoto",     // Epson
    "gt-x",         // Epson in Japan
    "workforce",    // Epson
    "canoscan",     // Canon
    "imageformula", // Canon
    "scanjet",      // HP
    "coolscan",     // Nikon
    "scansnap",     // Fujitsu, Ricoh
    "opticfilm",    // Plustek
    "opticslim",    // Plustek
    "opticbook",    // Plustek
    "scanmaker",    // Microtek
    "powerslide",   // Pacific Image, Reflecta
    "flextight",    // Hasselblad, Imacon
];

/// Whether that is the model of a scanner.
pub(crate) fn is_scanner(model: &str) -> bool {
    let model = model.to_lowercase();
    MODELS.iter().any(|words| model.contains(words))
}
