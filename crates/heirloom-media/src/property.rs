//! Names of properties that other parts of Heirloom rely on.

/// Identifier that both halves of an Apple Live Photo carry.
pub const LIVE_PHOTO_ID: &str = "live_photo_id";

/// Identifier that the pictures of one burst share.
pub const BURST_ID: &str = "burst_id";

/// `true` where a camera marked the picture as the one to show of its burst.
pub const BURST_COVER: &str = "burst_cover";

/// `true` where a short film is stored within the picture file.
pub const MOTION_PHOTO: &str = "motion_photo";

/// Program that wrote the file.
pub const SOFTWARE: &str = "software";

/// Fraction of the second of the original date, as digits.
pub const SUBSECOND: &str = "subsecond";

/// Exposure time in seconds.
pub const EXPOSURE_TIME_S: &str = "exposure_time_s";

/// Aperture as f-number.
pub const F_NUMBER: &str = "f_number";

/// Sensitivity (ISO).
pub const ISO: &str = "iso";

/// Focal length in millimetres.
pub const FOCAL_LENGTH_MM: &str = "focal_length_mm";

/// Whose rights are reserved, in words.
pub const COPYRIGHT: &str = "copyright";

/// Named areas of the picture as a JSON list of objects with `name`, `type` and, as fractions of
/// the picture, `x` and `y` of the centre, `width` and `height`.
pub const REGIONS: &str = "regions";

/// `true` where somebody marked it as a favourite.
pub const FAVORITE: &str = "favorite";

/// `true` where somebody put it into a trash that is emptied later.
pub const DELETED: &str = "deleted";

/// `true` where somebody had put it out of the way, without throwing it away.
pub const ARCHIVED: &str = "archived";

/// `true` where somebody did not want others to see it.
pub const PRIVATE: &str = "private";

/// What another program calls it.
pub const FOREIGN_ID: &str = "foreign_id";
