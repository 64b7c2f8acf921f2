//! From a file to what it says: which reader reads it.

use std::io::{self, Read, Seek};

use crate::{
    asf, audio, bmff, ebml,
    exif::{self, Role},
    file_name,
    file_type::{FileType, Reader},
    finding::Metadata,
    gif, jpeg, mpeg,
    notes::Notes,
    office, pdf, png, prose, psd, raw, riff,
    source::Source,
    tiff::Within,
    xmp,
};

/// What a file says about itself, its name included.
///
/// `file_type` is what [`sniff`](crate::sniff) said; `name` is the file's name without folders, or
/// empty where the name is to be left out.
/// Only what is needed is read: of a film its tables, of a JPEG the segments before the picture.
/// At most 96 MiB are read of any file, and about as many KiB of most.
///
/// # Errors
/// Only those of reading. What is wrong with the content is in
/// [`Metadata::problems`](crate::Metadata::problems).
pub fn metadata(
    source: &mut (impl Read + Seek),
    file_type: FileType,
    name: &str,
) -> io::Result<Metadata> {
    let mut out = Notes::default();
    let mut source = Source::new(source)?;
    read(&mut source, file_type.reader, &mut out);
    if source.is_exhausted() {
        out.problem(
            "The file is built so that reading it all would take too long; reading ended early.",
        );
    }
    file_name::read(name, &mut out);
    source.finish()?;
    Ok(out.finish())
}

/// What a file's name says of it, without its bytes: a date, if there is one in it.
#[must_use]
pub fn read_name(name: &str) -> Metadata {
    let mut out = Notes::default();
    file_name::read(name, &mut out);
    out.finish()
}

fn read(source: &mut Source<'_>, reader: Reader, out: &mut Notes) {
    match reader {
        Reader::None => {}
        Reader::Jpeg => jpeg::read(source, 2, out),
        Reader::ExifBlock => jpeg::read(source, 7, out),
        Reader::Png => png::read(source, out),
        Reader::Webp => riff::read_webp(source, out),
        Reader::Gif => gif::read(source, out),
        Reader::Bitmap => raw::read_bitmap(source, out),
        Reader::Tiff => {
            exif::read(
                &mut Within { source, from: 0 },
                Role::File { is_raw: false },
                out,
            );
        }
        Reader::Heif => bmff::read_heif(source, out),
        Reader::Jxl => bmff::read_jxl(source, out),
        Reader::JxlCodestream => bmff::read_jxl_codestream(source, out),
        Reader::Jp2 => bmff::read_jp2(source, out),
        Reader::J2k => bmff::read_j2k(source, out),
        Reader::Psd => psd::read(source, out),
        Reader::Svg => prose::read_svg(source, out),
        Reader::RawTiff => raw::read_tiff(source, out),
        Reader::RawMovie | Reader::Movie => bmff::read_movie(source, out),
        Reader::Crw => raw::read_crw(source, out),
        Reader::Raf => raw::read_raf(source, out),
        Reader::Mrw => raw::read_mrw(source, out),
        Reader::X3f => raw::read_x3f(source, out),
        Reader::Matroska => ebml::read(source, out),
        Reader::Avi => riff::read_avi(source, out),
        Reader::Transport => mpeg::read_transport(source, out),
        Reader::Program => mpeg::read_program(source, out),
        Reader::Asf => asf::read(source, out),
        Reader::Flash => mpeg::read_flash(source, out),
        Reader::Wav => riff::read_wav(source, out),
        Reader::Aiff => riff::read_aiff(source, out),
        Reader::Mp3 => audio::read_mp3(source, out),
        Reader::Flac => audio::read_flac(source, out),
        Reader::Ogg => audio::read_ogg(source, out),
        Reader::Amr => audio::read_amr(source, out),
        Reader::Aac => audio::read_aac(source, out),
        Reader::Pdf => pdf::read(source, out),
        Reader::Office => office::read_parts(source, out),
        Reader::Compound => office::read_compound(source, out),
        Reader::Rtf => prose::read_rtf(source, out),
        Reader::Html => prose::read_html(source, out),
        Reader::Xmp => xmp::read_sidecar(&source.copy(0, 8 * 1024 * 1024), out),
    }
}
