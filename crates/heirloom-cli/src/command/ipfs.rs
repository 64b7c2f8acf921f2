//! `heirloom ipfs …`

use std::{fs, io::Read as _, path::Path};

use heirloom_pipeline::ipfs::{OpenReport, PublicationKey, name_file, open_archive, open_file};
use heirloom_server::{
    Code, Problem,
    wire::{
        self, NewPublication, NewPublicationImport, Publication, PublicationReport, Publications,
        Run,
    },
};
use http::Method;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    collection,
    signal::Ends,
    transfer::{absolute, ending, finish_import, tell_problems, wait, why},
};
use crate::{
    Ending,
    api::Api,
    arguments::{Consent, Ipfs},
    config::Config,
    output::{Output, count, line, number_of, size},
};

const LIST: &str = "/api/v1/publications";
const AGAIN: &str = "Doing the same again goes on where this ended.";
/// How a sealed file begins.
const SEALED: &[u8] = b"age-encryption.org/";

/// What needs no library; `None` for everything else.
pub(super) async fn without_library(
    asked: &Ipfs,
    config: &Config,
    output: &Output,
) -> Option<Result<Ending, Problem>> {
    match asked {
        Ipfs::Cid { file } => Some(name(file, config, output)),
        Ipfs::Open { file, to, key_file } => {
            Some(open(file, to, key_file.as_deref(), output).await)
        }
        _ => None,
    }
}

pub(super) async fn run(api: &Api, asked: Ipfs, output: &Output) -> Result<Ending, Problem> {
    match asked {
        Ipfs::Publish {
            collection,
            consent,
        } => {
            let id = collection::find(api, &collection, false).await?.id;
            let report = publish(api, id, consent, None, output).await?;
            if !report.is_plain {
                output.say(&format!(
                    "The key that opens it without this library: `heirloom ipfs key '{}'`. Keep it away from this machine.",
                    line(&collection)
                ));
            }
            Ok(ending(report.problem_count))
        }
        Ipfs::Export {
            collection,
            file,
            consent,
        } => {
            let id = collection::find(api, &collection, false).await?.id;
            let report = publish(api, id, consent, Some(absolute(&file)), output).await?;
            Ok(ending(report.problem_count))
        }
        Ipfs::Status { collection } => status(api, collection, output).await,
        Ipfs::Unpin { collection } => {
            let id = collection::find(api, &collection, false).await?.id;
            let ends = Ends::listen();
            let address = format!("/api/v1/collections/{id}/publication/unpin");
            let run: Run = api.ask(Method::POST, &address, &[], None).await?;
            let run = wait(api, run, ends, output).await?;
            if run.state != heirloom_core::run::RunState::Done {
                return Err(why(&run, AGAIN));
            }
            output.data(&run, || {
                "Those who kept it were asked to let go, and did. What others copied stays where it is, for ever.\n"
                    .to_owned()
            });
            Ok(Ending::Done)
        }
        Ipfs::Key { collection } => {
            let id = collection::find(api, &collection, false).await?.id;
            let address = format!("/api/v1/collections/{id}/publication/key");
            let key: wire::PublicationKey = api.get(&address).await?;
            output.say(
                "Whoever has this line opens everything that was ever published sealed of this collection.",
            );
            output.data(&key, || format!("{}\n", key.key));
            Ok(Ending::Done)
        }
        Ipfs::Import {
            file,
            key_file,
            no_process,
        } => {
            let key = key_file.as_deref().map(load_key).transpose()?;
            let new = NewPublicationImport {
                path: absolute(&file),
                key: key.map(|key| key.text().to_string()),
                process: !no_process,
            };
            let ends = Ends::listen();
            let run: Run = api.post("/api/v1/publication-imports", &new).await?;
            let run = wait(api, run, ends, output).await?;
            finish_import(api, run, output).await
        }
        // These need no library and never get here.
        Ipfs::Cid { .. } | Ipfs::Open { .. } => Ok(Ending::Done),
    }
}

async fn publish(
    api: &Api,
    id: heirloom_core::CollectionId,
    consent: Consent,
    path: Option<String>,
    output: &Output,
) -> Result<PublicationReport, Problem> {
    let new = NewPublication {
        plain: consent.plain,
        visible_to_everybody_for_ever: consent.visible_to_everybody_for_ever,
        include_private: consent.include_private,
        path,
    };
    let ends = Ends::listen();
    let address = format!("/api/v1/collections/{id}/publication");
    let run: Run = api.post(&address, &new).await?;
    let run = wait(api, run, ends, output).await?;
    let Some(report) = run.publication.clone() else {
        return Err(why(&run, AGAIN));
    };
    output.data(&run, || describe_report(&report));
    tell_problems(output, &report.problems, report.problem_count);
    Ok(report)
}

fn describe_report(report: &PublicationReport) -> String {
    let form = match report.is_plain {
        true => "plain: visible to everybody for ever",
        false => "sealed",
    };
    let mut text = format!(
        "{}, {} sent now, {}, {form}\n",
        number_of(report.files, "original", "originals"),
        count(report.sent),
        size(report.bytes),
    );
    if report.left_out > 0 {
        text += &format!(
            "{} left out: deleted, or no longer there\n",
            number_of(report.left_out, "member is", "members are")
        );
    }
    if let Some(path) = &report.path {
        text += &format!("{}\n", line(path));
    }
    text + &format!("{}\n", report.root_cid)
}

async fn status(api: &Api, collection: Option<String>, output: &Output) -> Result<Ending, Problem> {
    let mut all: Publications = api.get(LIST).await?;
    if let Some(collection) = collection {
        let id = collection::find(api, &collection, false).await?.id;
        all.items.retain(|item| item.collection_id == id);
        if all.items.is_empty() {
            let address = format!("/api/v1/collections/{id}/publication");
            all.items.push(api.get(&address).await?);
        }
    }
    for item in &mut all.items {
        if !item.pins.is_empty() {
            let id = item.collection_id;
            let address = format!("/api/v1/collections/{id}/publication/check");
            *item = api.ask(Method::POST, &address, &[], None).await?;
        }
    }
    let is_amiss = all
        .items
        .iter()
        .any(|item| item.state == "failed" || item.pins.iter().any(|pin| pin.error.is_some()));
    output.data(&all, || describe(&all));
    Ok(if is_amiss {
        Ending::Partly
    } else {
        Ending::Done
    })
}

fn describe(all: &Publications) -> String {
    let mut text = match (all.is_configured, all.has_service) {
        (false, _) => "No IPFS node is configured.\n".to_owned(),
        (true, false) => "A node is configured, and no pinning service.\n".to_owned(),
        (true, true) => "A node and a pinning service are configured.\n".to_owned(),
    };
    if all.items.is_empty() {
        text += "Nothing is published.\n";
    }
    for item in &all.items {
        text += &format!("\n{}\n", line(&item.name));
        text += &describe_one(item);
    }
    text
}

fn describe_one(item: &Publication) -> String {
    let state = match item.state.as_str() {
        "none" => "never published",
        "exported" => "written to an archive, never published",
        "publishing" => "being published, or interrupted at it",
        "published" => "published",
        "failed" => "failed",
        "unpinning" => "being let go of, or interrupted at it",
        _ => "let go of; what others copied stays",
    };
    let mut text = format!("  {state}");
    if item.root_cid.is_some() {
        let form = if item.is_plain { "plain" } else { "sealed" };
        let originals = number_of(item.files.unsigned_abs(), "original", "originals");
        text += &format!(": {originals}, {}, {form}", size(item.bytes.unsigned_abs()));
    }
    text.push('\n');
    if let Some(error) = &item.error {
        text += &format!("  {}\n", line(error));
    }
    if let Some(cid) = &item.root_cid {
        text += &format!("  {cid}\n");
    }
    for pin in &item.pins {
        let who = match pin.place.as_str() {
            "node" => "the node",
            _ => "the pinning service",
        };
        text += &format!("  {who}: {}", pin.status);
        if let Some(error) = &pin.error {
            text += &format!(" ({})", line(error));
        }
        text.push('\n');
    }
    text
}

fn name(file: &Path, config: &Config, output: &Output) -> Result<Ending, Problem> {
    let (cid, bytes) = name_file(file, config.ipfs.layout.value)?;
    let document = json!({ "cid": cid.to_string(), "bytes": bytes });
    output.data(&document, || format!("{cid}\n"));
    Ok(Ending::Done)
}

async fn open(
    file: &Path,
    to: &Path,
    key_file: Option<&Path>,
    output: &Output,
) -> Result<Ending, Problem> {
    let key = key_file.map(load_key).transpose()?;
    if is_sealed(file)? {
        let no_key = || Problem::from(heirloom_pipeline::ipfs::IpfsError::NoKey);
        let bytes = open_file(file, &key.ok_or_else(no_key)?, to)?;
        let document = json!({ "path": to.display().to_string(), "bytes": bytes });
        output.data(&document, || {
            format!("{} in {}\n", size(bytes), to.display())
        });
        return Ok(Ending::Done);
    }
    let stop = CancellationToken::new();
    let keys: Vec<PublicationKey> = key.into_iter().collect();
    let (file, to, told) = (file.to_owned(), to.to_owned(), stop.clone());
    let opening =
        tokio::task::spawn_blocking(move || open_archive(&file, &keys, &to, false, &told));
    let mut ends = Ends::listen();
    tokio::pin!(opening);
    let opened = tokio::select! {
        opened = &mut opening => opened,
        () = ends.wait() => {
            stop.cancel();
            opening.await
        }
    };
    let report = opened.map_err(|error| Problem::new(Code::Internal, error.to_string()))??;
    output.data(&report, || describe_open(&report));
    for problem in &report.problems {
        output.say(&line(&format!("{}: {}", problem.name, problem.why.what)));
    }
    Ok(ending(report.problems.len() as u64))
}

fn describe_open(report: &OpenReport) -> String {
    let files = number_of(report.files, "file", "files");
    let of = match &report.collection {
        Some(name) => format!(" of {name:?}"),
        None => String::new(),
    };
    format!(
        "{files}{of}, {} in {}\n",
        size(report.bytes),
        line(&report.folder)
    )
}

fn is_sealed(file: &Path) -> Result<bool, Problem> {
    let mut begin = [0; SEALED.len()];
    let read = fs::File::open(file).and_then(|mut file| {
        let mut at = 0;
        while at < begin.len() {
            match file.read(&mut begin[at..])? {
                0 => break,
                length => at += length,
            }
        }
        Ok(())
    });
    read.map_err(|error| {
        let message = format!("{} cannot be read: {error}", file.display());
        Problem::new(Code::InvalidRequest, message)
    })?;
    Ok(begin == SEALED)
}

fn load_key(file: &Path) -> Result<PublicationKey, Problem> {
    let refused = |why: String| {
        let message = format!(
            "{} does not have a key of a publication: {why}",
            file.display()
        );
        Problem::new(Code::InvalidRequest, message)
            .hint("It is a line that begins with AGE-SECRET-KEY-1: `heirloom ipfs key COLLECTION` shows it.")
    };
    let text = fs::read_to_string(file).map_err(|error| refused(error.to_string()))?;
    PublicationKey::parse(&text).ok_or_else(|| refused("no line in it is one".to_owned()))
}
