//! `heirloom encryption …`

use std::time::Duration;

use heirloom_server::{
    MasterKey, MasterSource, Problem,
    wire::{Encryption, MasterKind, NewMaster},
};
use http::Method;

use super::{bar::Bar, signal::Ends};
use crate::{
    Ending,
    api::{Api, render},
    arguments,
    output::{Output, count, day, number_of, table},
};

const ADDRESS: &str = "/api/v1/encryption";
/// How often it is asked how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(150);

pub(super) async fn run(
    api: &Api,
    asked: arguments::Encryption,
    output: &Output,
) -> Result<Ending, Problem> {
    let begun: Encryption = match asked {
        arguments::Encryption::Status => {
            let standing: Encryption = api.get(ADDRESS).await?;
            output.data(&standing, || describe(&standing));
            return Ok(Ending::Done);
        }
        arguments::Encryption::On => {
            let begun: Encryption = api.ask(Method::POST, ADDRESS, &[], None).await?;
            say_what_is_needed(&begun, output);
            begun
        }
        arguments::Encryption::Rotate => {
            let address = format!("{ADDRESS}/keys");
            api.ask(Method::POST, &address, &[], None).await?
        }
        arguments::Encryption::ChangeMaster {
            to_key_file,
            to_passphrase_file,
        } => {
            let source = match (to_key_file, to_passphrase_file) {
                (Some(file), _) => MasterSource::KeyFile(file),
                (None, file) => MasterSource::PassphraseFile(file.unwrap_or_default()),
            };
            return change_master(api, &source, output).await;
        }
    };
    wait(api, begun, output).await
}

async fn change_master(
    api: &Api,
    source: &MasterSource,
    output: &Output,
) -> Result<Ending, Problem> {
    let (master, _) = source.load_or_create()?;
    let kind = match master {
        MasterKey::Key(_) => MasterKind::Key,
        MasterKey::Passphrase(_) => MasterKind::Passphrase,
    };
    let new = NewMaster {
        kind,
        text: master.text().to_owned(),
    };
    let address = format!("{ADDRESS}/master");
    let changed: Encryption = api
        .ask(Method::PUT, &address, &[], Some(render(&new)?))
        .await?;
    let setting = match kind {
        MasterKind::Key => "master_key_file",
        MasterKind::Passphrase => "master_passphrase_file",
    };
    output.say(&format!(
        "From the next start on Heirloom needs the new one: name {} with `{setting}` in its configuration.\n\
         Keep a copy of it, and of {}, away from this machine. Older copies of that file still open with the old one: \
         if somebody may have both, `heirloom encryption rotate` as well.",
        source.in_words(),
        changed.key_file,
    ));
    output.data(&changed, || describe(&changed));
    Ok(Ending::Done)
}

fn say_what_is_needed(begun: &Encryption, output: &Output) {
    let from = begun.master_from.clone().unwrap_or_default();
    if begun.is_new_master {
        output.say(&format!("A master key was made: {from}"));
    }
    output.say(&format!(
        "Two things open the blobs from now on: the master key ({from}) and the file {}.\n\
         Keep a copy of both away from this machine. Whoever loses one of them loses every blob; nobody can help. A \
         backup with `heirloom backup` opens without them, with its own key.",
        begun.key_file
    ));
    if begun.is_master_beside {
        output.say(
            "The master key lies in the data folder, beside what it opens: whoever takes the disk has both. That helps \
             only for blobs that are in a bucket.",
        );
    }
}

/// Waits until everything is sealed. Ctrl-C leaves the rest to another time, or to the server.
async fn wait(api: &Api, begun: Encryption, output: &Output) -> Result<Ending, Problem> {
    let (mut ends, mut bar) = (Ends::listen(), Bar::new(*output));
    let mut now = begun;
    let mut is_left = false;
    while now.is_sealing && !is_left {
        bar.show(now.blobs, 0, number_of(now.blobs, "blob", "blobs"));
        tokio::select! {
            () = ends.wait() => is_left = true,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        now = api.get(ADDRESS).await?;
    }
    bar.finish();
    if let Some(problem) = &now.problem {
        output.say(&format!("It stopped: {problem}"));
    } else if !now.is_complete {
        output.say(if api.is_served() {
            "The server goes on with it."
        } else {
            "The rest is left: `heirloom encryption on` or `heirloom serve` goes on with it."
        });
    }
    output.data(&now, || describe(&now));
    Ok(if now.is_complete && now.failed == 0 {
        Ending::Done
    } else {
        Ending::Partly
    })
}

fn describe(standing: &Encryption) -> String {
    if !standing.is_on {
        return "The blobs are not encrypted. `heirloom encryption on` begins with it.\n"
            .to_owned();
    }
    let sealed = number_of(standing.blobs, "blob", "blobs");
    let state = match (standing.is_complete, standing.is_sealing) {
        (true, _) => "every blob is encrypted with the newest key".to_owned(),
        (false, true) => format!("{sealed} of this pass looked at, it goes on"),
        (false, false) => {
            format!("{sealed} of this pass looked at, the rest waits for `heirloom serve`")
        }
    };
    let kind = standing.master.clone().unwrap_or_default();
    let from = standing.master_from.clone().unwrap_or_default();
    let rows = [
        ("blobs", state),
        ("master", format!("a {kind}, from {from}")),
        ("key file", standing.key_file.clone()),
    ];
    let mut text = table(&rows.map(|(name, value)| vec![name.to_owned(), value]));
    let keys = standing.keys.iter().enumerate().map(|(n, key)| {
        let use_of_it = if n == 0 {
            "seals"
        } else {
            "opens what it sealed"
        };
        vec![key.id.clone(), day(key.made_at_ms), use_of_it.to_owned()]
    });
    text += "\n";
    text += &table(&keys.collect::<Vec<_>>());
    if standing.failed > 0 {
        text += &format!(
            "{} damaged and not encrypted: `heirloom fsck --repair`, then `heirloom encryption rotate`.\n",
            if standing.failed == 1 {
                "1 blob is".to_owned()
            } else {
                format!("{} blobs are", count(standing.failed))
            }
        );
    }
    text
}
