//! `heirloom fsck`

use heirloom_server::{
    Code, Problem, take_catalogue,
    wire::{FsckReport, NewFsck},
};

use crate::{
    Ending,
    api::Api,
    config::Config,
    output::{Output, count, line, number_of, size},
};

/// Takes a catalogue that another program copied or changed, before anybody opens it.
pub(super) async fn take_pages(config: &Config, output: &Output) -> Result<(), Problem> {
    if config.database.value.is_some() {
        return Err(Problem::new(
            Code::Refused,
            "the catalogue is in PostgreSQL, which looks after its own pages",
        ));
    }
    output.say(&match take_catalogue(&config.data.value).await? {
        Some(kept) => format!(
            "The catalogue was taken as it is. As it was found it is kept in {}: delete that when all is well.",
            kept.display()
        ),
        None => "Each page of the catalogue is as it was written: nothing had to be taken.".to_owned(),
    });
    Ok(())
}

pub(super) async fn check(api: &Api, new: NewFsck, output: &Output) -> Result<Ending, Problem> {
    let report: FsckReport = api.post("/api/v1/fsck", &new).await?;
    output.data(&report, || describe(&report));
    Ok(if report.is_sound {
        Ending::Done
    } else {
        Ending::Partly
    })
}

fn describe(report: &FsckReport) -> String {
    let mut text = format!(
        "{}, {} read; {} of the audit chain\n",
        number_of(report.blobs, "blob", "blobs"),
        size(report.blob_bytes),
        number_of(report.audit_entries.unsigned_abs(), "entry", "entries"),
    );
    if report.original_bytes > 0 {
        text += &format!("{} of originals read again\n", size(report.original_bytes));
    }
    if report.archived > 0 {
        text += &format!(
            "{} in an archive and not read; only the length is known\n",
            number_of(report.archived, "blob lies", "blobs lie"),
        );
    }
    if report.unreferenced > 0 {
        text += &format!(
            "{} nobody refers to, which is nothing bad; --remove-unreferenced removes those older than a day\n",
            number_of(report.unreferenced, "blob that", "blobs that"),
        );
    }
    if report.removed > 0 {
        text += &format!("{} removed\n", number_of(report.removed, "blob", "blobs"));
    }
    for fault in &report.items {
        let mended = if fault.is_mended { " (mended)" } else { "" };
        let subject = match fault.subject.as_str() {
            "" => String::new(),
            subject => format!(" {subject}:"),
        };
        let told = line(&format!("{}:{subject} {}", fault.part, fault.what));
        text += &format!("{told}{mended}\n");
    }
    let untold = report.faults.saturating_sub(report.items.len() as u64);
    if untold > 0 {
        text += &format!("and {} more\n", count(untold));
    }
    text += if report.faults == 0 {
        "Everything is as it should be.\n"
    } else if report.is_sound {
        "Everything that was wrong is mended.\n"
    } else {
        "Something is not as it should be.\n"
    };
    text
}
