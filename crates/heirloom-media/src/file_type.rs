//! The types of file that are told apart.

use heirloom_core::MediaKind;
use serde::Serialize;

/// What a file is, by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FileType {
    /// What kind of original it is.
    pub kind: MediaKind,
    /// Its media type, such as `image/jpeg`.
    pub media_type: &'static str,
    /// Its name for people, such as `JPEG`; unique among all types.
    pub name: &'static str,
    /// Whether it is a camera's RAW picture.
    pub is_raw: bool,
    /// Whether it can hold scripts, so that it must never be shown inline from Heirloom's origin.
    pub is_active: bool,
    #[serde(skip)]
    pub(crate) reader: Reader,
}

/// Which reader knows a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    None,
    Jpeg,
    ExifBlock,
    Png,
    Webp,
    Gif,
    Bitmap,
    Tiff,
    Heif,
    Jxl,
    JxlCodestream,
    Jp2,
    J2k,
    Psd,
    Svg,
    RawTiff,
    RawMovie,
    Crw,
    Raf,
    Mrw,
    X3f,
    Movie,
    Matroska,
    Avi,
    Transport,
    Program,
    Asf,
    Flash,
    Wav,
    Aiff,
    Mp3,
    Flac,
    Ogg,
    Amr,
    Aac,
    Pdf,
    Office,
    Compound,
    Rtf,
    Html,
    Xmp,
}

macro_rules! types {
    ($($constant:ident $kind:ident $name:literal $media_type:literal $reader:ident $($flag:ident)*;)*) => {
        $(pub(crate) const $constant: FileType = FileType {
            kind: MediaKind::$kind,
            media_type: $media_type,
            name: $name,
            is_raw: types!(@has raw $($flag)*),
            is_active: types!(@has active $($flag)*),
            reader: Reader::$reader,
        };)*

        impl FileType {
            /// Every type.
            pub const ALL: &'static [Self] = &[$($constant),*];
        }
    };
    (@has $wanted:ident) => { false };
    (@has raw raw) => { true };
    (@has active active) => { true };
    (@has $wanted:ident $flag:ident) => { false };
}

types! {
    JPEG Image "JPEG" "image/jpeg" Jpeg;
    PNG Image "PNG" "image/png" Png;
    WEBP Image "WebP" "image/webp" Webp;
    GIF Image "GIF" "image/gif" Gif;
    BMP Image "BMP" "image/bmp" Bitmap;
    ICO Image "ICO" "image/vnd.microsoft.icon" Bitmap;
    TIFF Image "TIFF" "image/tiff" Tiff;
    AVIF Image "AVIF" "image/avif" Heif;
    HEIC Image "HEIC" "image/heic" Heif;
    HEIF Image "HEIF" "image/heif" Heif;
    JXL Image "JPEG XL" "image/jxl" Jxl;
    JXL_CODESTREAM Image "JPEG XL codestream" "image/jxl" JxlCodestream;
    JP2 Image "JPEG 2000" "image/jp2" Jp2;
    J2K Image "JPEG 2000 codestream" "image/x-j2c" J2k;
    PSD Image "Photoshop" "image/vnd.adobe.photoshop" Psd;
    SVG Image "SVG" "image/svg+xml" Svg active;
    CR2 Image "Canon CR2" "image/x-canon-cr2" RawTiff raw;
    CR3 Image "Canon CR3" "image/x-canon-cr3" RawMovie raw;
    CRW Image "Canon CRW" "image/x-canon-crw" Crw raw;
    NEF Image "Nikon NEF" "image/x-nikon-nef" RawTiff raw;
    NRW Image "Nikon NRW" "image/x-nikon-nrw" RawTiff raw;
    ARW Image "Sony ARW" "image/x-sony-arw" RawTiff raw;
    SR2 Image "Sony SR2" "image/x-sony-sr2" RawTiff raw;
    DNG Image "DNG" "image/x-adobe-dng" RawTiff raw;
    ORF Image "Olympus ORF" "image/x-olympus-orf" RawTiff raw;
    RW2 Image "Panasonic RW2" "image/x-panasonic-rw2" RawTiff raw;
    RAF Image "Fujifilm RAF" "image/x-fujifilm-raf" Raf raw;
    PEF Image "Pentax PEF" "image/x-pentax-pef" RawTiff raw;
    SRW Image "Samsung SRW" "image/x-samsung-srw" RawTiff raw;
    X3F Image "Sigma X3F" "image/x-sigma-x3f" X3f raw;
    MRW Image "Minolta MRW" "image/x-minolta-mrw" Mrw raw;
    HASSELBLAD Image "Hasselblad 3FR" "image/x-hasselblad-3fr" RawTiff raw;
    PHASE_ONE Image "Phase One IIQ" "image/x-phaseone-iiq" RawTiff raw;
    KODAK Image "Kodak RAW" "image/x-kodak-dcr" RawTiff raw;
    EPSON Image "Epson ERF" "image/x-epson-erf" RawTiff raw;
    MAMIYA Image "Mamiya MEF" "image/x-mamiya-mef" RawTiff raw;
    LEICA Image "Leica RWL" "image/x-leica-rwl" RawTiff raw;

    MP4 Video "MP4" "video/mp4" Movie;
    MOV Video "QuickTime" "video/quicktime" Movie;
    M4V Video "M4V" "video/x-m4v" Movie;
    THREE_GP Video "3GP" "video/3gpp" Movie;
    MKV Video "Matroska" "video/x-matroska" Matroska;
    WEBM Video "WebM" "video/webm" Matroska;
    AVI Video "AVI" "video/x-msvideo" Avi;
    MPEG_TS Video "MPEG transport stream" "video/mp2t" Transport;
    MPEG_PS Video "MPEG program stream" "video/mpeg" Program;
    WMV Video "Windows Media" "video/x-ms-wmv" Asf;
    FLV Video "Flash video" "video/x-flv" Flash;
    OGV Video "Ogg video" "video/ogg" Ogg;

    WAV Audio "WAV" "audio/wav" Wav;
    AIFF Audio "AIFF" "audio/aiff" Aiff;
    MP3 Audio "MP3" "audio/mpeg" Mp3;
    FLAC Audio "FLAC" "audio/flac" Flac;
    OGG Audio "Ogg" "audio/ogg" Ogg;
    OPUS Audio "Opus" "audio/opus" Ogg;
    M4A Audio "M4A" "audio/mp4" Movie;
    THREE_GP_AUDIO Audio "3GP sound" "audio/3gpp" Movie;
    MKA Audio "Matroska sound" "audio/x-matroska" Matroska;
    AMR Audio "AMR" "audio/amr" Amr;
    WMA Audio "Windows Media sound" "audio/x-ms-wma" Asf;
    AAC Audio "AAC" "audio/aac" Aac;
    MIDI Audio "MIDI" "audio/midi" None;

    PDF Document "PDF" "application/pdf" Pdf active;
    TXT Document "Text" "text/plain" None;
    MARKDOWN Document "Markdown" "text/markdown" None;
    CSV Document "CSV" "text/csv" None;
    HTML Document "HTML" "text/html" Html active;
    RTF Document "RTF" "application/rtf" Rtf;
    DOCX Document "Word" "application/vnd.openxmlformats-officedocument.wordprocessingml.document" Office;
    XLSX Document "Excel" "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" Office;
    PPTX Document "PowerPoint" "application/vnd.openxmlformats-officedocument.presentationml.presentation" Office;
    ODT Document "OpenDocument text" "application/vnd.oasis.opendocument.text" Office;
    ODS Document "OpenDocument spreadsheet" "application/vnd.oasis.opendocument.spreadsheet" Office;
    ODP Document "OpenDocument presentation" "application/vnd.oasis.opendocument.presentation" Office;
    EPUB Document "EPUB" "application/epub+zip" Office active;
    DOC Document "Word 97" "application/msword" Compound;

    XMP Other "XMP" "application/rdf+xml" Xmp;
    EXV Other "EXIF block" "image/x-exv" ExifBlock;
    JSON Other "JSON" "application/json" None;
    XML Other "XML" "application/xml" None active;
    PLIST Other "Property list" "application/x-plist" None;
    ZIP Other "ZIP" "application/zip" None;
    EMPTY Other "Empty" "application/x-empty" None;
    OTHER Other "Unknown" "application/octet-stream" None;
}

impl FileType {
    /// The type of a name that [`FileType::name`] gave, if it is known still.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|file_type| file_type.name == name)
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_is_found_by_its_name_alone() {
        for file_type in FileType::ALL {
            assert_eq!(FileType::by_name(file_type.name), Some(*file_type));
        }
        assert_eq!(FileType::by_name("JPEG 3000"), None);
    }

    #[test]
    fn what_can_hold_scripts_is_marked() {
        let active: Vec<&str> = FileType::ALL
            .iter()
            .filter(|t| t.is_active)
            .map(|t| t.name)
            .collect();
        assert_eq!(active, ["SVG", "PDF", "HTML", "EPUB", "XML"]);
    }
}
