//! Numbers of the tags that are looked at.

pub(super) const WIDTH: u16 = 0x0100;
pub(super) const HEIGHT: u16 = 0x0101;
pub(super) const DESCRIPTION: u16 = 0x010E;
pub(super) const MAKE: u16 = 0x010F;
pub(super) const MODEL: u16 = 0x0110;
pub(super) const ORIENTATION: u16 = 0x0112;
pub(super) const SOFTWARE: u16 = 0x0131;
pub(super) const MODIFY_DATE: u16 = 0x0132;
pub(super) const ARTIST: u16 = 0x013B;
pub(super) const SUB_DIRECTORIES: u16 = 0x014A;
pub(super) const XMP: u16 = 0x02BC;
pub(super) const RATING: u16 = 0x4746;
pub(super) const RATING_PERCENT: u16 = 0x4749;
pub(super) const COPYRIGHT: u16 = 0x8298;
pub(super) const EXPOSURE_TIME: u16 = 0x829A;
pub(super) const F_NUMBER: u16 = 0x829D;
pub(super) const IPTC: u16 = 0x83BB;
pub(super) const PHOTOSHOP: u16 = 0x8649;
pub(super) const EXIF: u16 = 0x8769;
pub(super) const GPS: u16 = 0x8825;
pub(super) const ISO: u16 = 0x8827;
pub(super) const TIME_ZONE_OFFSET: u16 = 0x882A;
pub(super) const ORIGINAL_DATE: u16 = 0x9003;
pub(super) const DIGITIZED_DATE: u16 = 0x9004;
pub(super) const OFFSET_MODIFY: u16 = 0x9010;
pub(super) const OFFSET_ORIGINAL: u16 = 0x9011;
pub(super) const OFFSET_DIGITIZED: u16 = 0x9012;
pub(super) const EXPOSURE_BIAS: u16 = 0x9204;
pub(super) const FLASH: u16 = 0x9209;
pub(super) const FOCAL_LENGTH: u16 = 0x920A;
pub(super) const MAKER_NOTE: u16 = 0x927C;
pub(super) const USER_COMMENT: u16 = 0x9286;
pub(super) const SUBSECOND_ORIGINAL: u16 = 0x9291;
pub(super) const XP_TITLE: u16 = 0x9C9B;
pub(super) const XP_COMMENT: u16 = 0x9C9C;
pub(super) const XP_AUTHOR: u16 = 0x9C9D;
pub(super) const XP_KEYWORDS: u16 = 0x9C9E;
pub(super) const XP_SUBJECT: u16 = 0x9C9F;
pub(super) const FILE_SOURCE: u16 = 0xA300;
pub(super) const FOCAL_LENGTH_35MM: u16 = 0xA405;
pub(super) const IMAGE_UNIQUE_ID: u16 = 0xA420;
pub(super) const OWNER: u16 = 0xA430;
pub(super) const SERIAL: u16 = 0xA431;
pub(super) const LENS_MAKE: u16 = 0xA433;
pub(super) const LENS_MODEL: u16 = 0xA434;

/// Tags whose values are read wherever they stand: makers disagree on the directory.
pub(super) const INTERESTING: [u16; 36] = [
    DESCRIPTION,
    MAKE,
    MODEL,
    ORIENTATION,
    SOFTWARE,
    MODIFY_DATE,
    ARTIST,
    RATING,
    RATING_PERCENT,
    COPYRIGHT,
    EXPOSURE_TIME,
    F_NUMBER,
    ISO,
    TIME_ZONE_OFFSET,
    ORIGINAL_DATE,
    DIGITIZED_DATE,
    OFFSET_MODIFY,
    OFFSET_ORIGINAL,
    OFFSET_DIGITIZED,
    EXPOSURE_BIAS,
    FLASH,
    FILE_SOURCE,
    FOCAL_LENGTH,
    USER_COMMENT,
    SUBSECOND_ORIGINAL,
    XP_TITLE,
    XP_COMMENT,
    XP_AUTHOR,
    XP_KEYWORDS,
    XP_SUBJECT,
    FOCAL_LENGTH_35MM,
    IMAGE_UNIQUE_ID,
    OWNER,
    SERIAL,
    LENS_MAKE,
    LENS_MODEL,
];
