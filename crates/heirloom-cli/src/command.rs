//! The commands: each a request or two, and a way to show the answer.

mod add;
mod archive;
mod artifact;
mod asset;
mod backup;
mod bar;
mod claim;
mod collection;
pub(crate) mod config;
mod doctor;
mod duplicates;
mod encryption;
mod faces;
mod fsck;
mod health;
mod ipfs;
mod lineage;
pub(crate) mod manual;
mod model;
mod paging;
mod people;
mod pipeline;
mod place;
mod read;
mod rebuild;
mod restore;
mod run;
mod scan;
mod scrub;
mod search;
mod serve;
mod signal;
mod store;
mod tag;
mod timeline;
mod transcribe;
mod transfer;
mod way;

use heirloom_server::{Problem, wire::NewFsck};

use crate::{
    Ending,
    api::Api,
    arguments::{Command, Encryption, Ipfs},
    config::Config,
    output::Output,
};

/// Runs a command that needs a library.
pub(crate) async fn run(
    command: Command,
    config: &Config,
    output: &Output,
) -> Result<Ending, Problem> {
    if matches!(command, Command::Serve { .. }) {
        return serve::serve(config, output).await;
    }
    if matches!(command, Command::Health) {
        return Ok(health::ask(config, output).await);
    }
    if let Command::Restore(asked) = &command {
        return restore::run(asked, config, output).await;
    }
    if let Command::Backup(asked) = &command
        && let Some(ending) = backup::without_library(asked, config, output).await
    {
        return ending;
    }
    if let Command::Ipfs(asked) = &command
        && let Some(ending) = ipfs::without_library(asked, config, output).await
    {
        return ending;
    }
    if let Command::Fsck {
        take_pages: true, ..
    } = &command
    {
        fsck::take_pages(config, output).await?;
    }
    if let Command::Faces(asked) = &command {
        return faces::run(asked, config, output).await;
    }
    if let Command::Read(asked) = &command {
        return read::run(asked, config, output).await;
    }
    if let Command::Tag(asked) = &command {
        return tag::run(asked, config, output).await;
    }
    if let Command::Transcribe(asked) = &command {
        return transcribe::run(asked, config, output).await;
    }
    if let Command::Scan(asked) = &command {
        scan::check(asked, config)?;
    }
    // A scan begins a library, and so do files that are handed over; everything else asks for one that
    // is there.
    let is_creating = match &command {
        Command::Scan(asked) => !asked.no_wait,
        Command::Add(asked) => add::has_any(asked),
        // So that not even the first blob is plain.
        Command::Encryption(Encryption::On) => true,
        // A machine may be made ready before there is anything to keep.
        Command::Models(_) => true,
        _ => false,
    };
    let api = match &command {
        Command::Import(asked) => transfer::connect(asked, config).await?,
        _ => Api::connect(config, is_creating).await?,
    };
    let outcome = ask(&api, command, config, output).await;
    api.close().await;
    outcome
}

/// Does something, and then goes on with the runs that it or somebody before has begun, where no server does.
async fn and_work(
    api: &Api,
    doing: impl Future<Output = Result<Ending, Problem>>,
    is_working: bool,
    output: &Output,
) -> Result<Ending, Problem> {
    let ending = doing.await?;
    if is_working {
        run::work_off(api, output).await?;
    }
    Ok(ending)
}

async fn ask(
    api: &Api,
    command: Command,
    config: &Config,
    output: &Output,
) -> Result<Ending, Problem> {
    match command {
        Command::Scan(asked) => {
            let scan = scan::scan(api, &asked, output);
            return api
                .answering(and_work(api, scan, !asked.no_process, output))
                .await;
        }
        Command::Add(asked) => {
            let add = add::add(api, &asked, output);
            return api
                .answering(and_work(api, add, !asked.no_process, output))
                .await;
        }
        Command::Export(asked) => {
            return api.answering(transfer::export(api, &asked, output)).await;
        }
        Command::Import(asked) => {
            let is_working = !asked.no_process && !asked.dry_run;
            let import = transfer::import(api, &asked, output);
            return api
                .answering(and_work(api, import, is_working, output))
                .await;
        }
        Command::Fsck {
            quick,
            originals,
            repair,
            remove_unreferenced,
            take_pages: _,
        } => {
            let new = NewFsck {
                quick,
                originals,
                repair,
                remove_unreferenced,
            };
            return fsck::check(api, new, output).await;
        }
        Command::Pipeline(asked) => pipeline::run(api, asked, output).await?,
        Command::Rebuild {
            assets,
            archive,
            index,
            dry_run,
            no_wait,
        } => {
            let asked = rebuild::Asked {
                assets,
                archive,
                index,
                dry_run,
                no_wait,
            };
            return api.answering(rebuild::rebuild(api, asked, output)).await;
        }
        Command::Scrub => scrub::show(api, output).await?,
        Command::Backup(asked) => {
            return api.answering(backup::run(api, asked, config, output)).await;
        }
        Command::Models(asked) => return api.answering(model::run(api, asked, output)).await,
        Command::Store(asked) => return api.answering(store::run(api, asked, output)).await,
        Command::Encryption(asked) => {
            return api.answering(encryption::run(api, asked, output)).await;
        }
        Command::Ipfs(asked) => {
            let is_working = matches!(
                &asked,
                Ipfs::Import {
                    no_process: false,
                    ..
                }
            );
            let run = ipfs::run(api, asked, output);
            return api.answering(and_work(api, run, is_working, output)).await;
        }
        Command::Doctor => return doctor::look(api, output).await,
        Command::Archive(asked) => archive::run(api, asked, output).await?,
        Command::Asset(asked) => return asset::run(api, asked, output).await,
        Command::Claim(asked) => claim::run(api, asked, output).await?,
        Command::Collection(asked) => collection::run(api, asked, output).await?,
        Command::Search {
            query,
            suggest: true,
            language,
            paging,
        } => search::suggest(api, &query, &language, paging.limit, output).await?,
        Command::Search { query, paging, .. } => search::find(api, &query, &paging, output).await?,
        Command::Timeline {
            bucket: None,
            query,
            ..
        } => timeline::count(api, &query, output).await?,
        Command::Timeline {
            bucket: Some(bucket),
            query,
            offset,
            limit,
        } => timeline::list_bucket(api, (bucket, &query), (offset, limit), output).await?,
        Command::Duplicates(asked) => duplicates::run(api, asked, output).await?,
        Command::People(asked) => people::run(api, asked, output).await?,
        Command::Place(asked) => place::run(api, asked, output).await?,
        Command::Run(asked) if asked.may_take_long() => {
            return api.answering(run::run(api, asked, output)).await;
        }
        Command::Run(asked) => return run::run(api, asked, output).await,
        Command::Artifact(asked) => artifact::run(api, asked, output).await?,
        Command::Lineage { id } => lineage::show(api, id, output).await?,
        // These need no library and never get here.
        Command::Serve { .. }
        | Command::Health
        | Command::Restore(_)
        | Command::Faces(_)
        | Command::Read(_)
        | Command::Tag(_)
        | Command::Transcribe(_)
        | Command::Config(_)
        | Command::Completions { .. }
        | Command::Manual { .. } => {}
    }
    Ok(Ending::Done)
}
