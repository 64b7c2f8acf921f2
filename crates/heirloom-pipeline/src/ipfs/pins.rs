//! Who keeps what was published: asking them, looking how far they are, and asking them to let go.

use std::{collections::HashSet, time::Duration};

use heirloom_core::{CollectionId, permission::Action};
use heirloom_db::{
    DbError, clock,
    collection::Collection,
    publication::{Pin, PinPlace, PinStatus, PublicationState},
};
use tokio_util::sync::CancellationToken;

use super::{
    IpfsError, IpfsSettings,
    ask::Asker,
    node::Node,
    pinning::{Service, Standing},
};
use crate::Context;

/// How often a service is asked how far it is before it is left to itself.
const LOOKS: u32 = 10;
/// The longest wait between two of these.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How many files are listed at once.
const AT_ONCE: usize = 500;

/// Notes that the node keeps a folder, and asks the service to keep it too. Gives what is not as it should be.
pub(super) async fn keep_root(
    ctx: &Context,
    asker: &Asker,
    node: &Node<'_>,
    collection: CollectionId,
    cid: &str,
) -> Result<Vec<String>, IpfsError> {
    let pin = Pin {
        place: PinPlace::Node,
        cid: cid.to_owned(),
        request_id: None,
        status: PinStatus::Pinned,
        error: None,
        changed_at_ms: clock::now_ms(),
    };
    ctx.db.save_pin(collection, &pin).await?;
    let Some(service) = Service::new(asker) else {
        return Ok(Vec::new());
    };
    // The own node has everything by now: what is wrong with a service does not undo that.
    match ask_service(ctx, asker, node, &service, collection, cid).await {
        Ok(None) => Ok(Vec::new()),
        Ok(Some(why)) => Ok(vec![why]),
        Err(IpfsError::Cancelled) => Err(IpfsError::Cancelled),
        Err(IpfsError::Db(error)) => Err(IpfsError::Db(error)),
        Err(error) => {
            let mut known = ctx.db.list_pins(collection).await?.into_iter();
            let known = known.find(|pin| pin.place == PinPlace::Service && pin.cid == cid);
            let failed = Pin {
                place: PinPlace::Service,
                cid: cid.to_owned(),
                request_id: known.and_then(|known| known.request_id),
                status: PinStatus::Failed,
                error: Some(error.to_string()),
                changed_at_ms: clock::now_ms(),
            };
            ctx.db.save_pin(collection, &failed).await?;
            Ok(vec![error.to_string()])
        }
    }
}

/// Gives why the service could not keep it, if it said so.
async fn ask_service(
    ctx: &Context,
    asker: &Asker,
    node: &Node<'_>,
    service: &Service<'_>,
    collection: CollectionId,
    cid: &str,
) -> Result<Option<String>, IpfsError> {
    let mut pins = ctx.db.list_pins(collection).await?.into_iter();
    let noted = pins.find(|pin| pin.place == PinPlace::Service && pin.cid == cid);
    let noted = noted.and_then(|pin| pin.request_id);
    let known = match noted {
        Some(id) => service.look(&id).await?,
        // It may have been asked before somebody was killed.
        None => service.find(cid).await?,
    };
    let mut standing = match known {
        Some(known) if known.status()? != PinStatus::Failed => known,
        _ => {
            let origins = node.addresses().await?;
            let name = format!("collection-{collection}");
            service.keep(cid, &name, &origins).await?
        }
    };
    note(ctx, collection, cid, &standing).await?;
    for address in &standing.delegates {
        node.call_on(address).await?;
    }
    let mut wait = asker.settings.pause;
    for _ in 0..LOOKS {
        match standing.status()? {
            PinStatus::Pinned => return Ok(None),
            PinStatus::Failed => {
                return Ok(Some(format!("the pinning service: {}", standing.why())));
            }
            PinStatus::Queued | PinStatus::Pinning => {}
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = asker.stop.cancelled() => return Err(IpfsError::Cancelled),
        }
        wait = (wait * 2).min(LONGEST_WAIT);
        if let Some(now) = service.look(&standing.id).await? {
            standing = now;
            note(ctx, collection, cid, &standing).await?;
        }
    }
    Ok(None)
}

async fn note(
    ctx: &Context,
    collection: CollectionId,
    cid: &str,
    standing: &Standing,
) -> Result<(), IpfsError> {
    let status = standing.status()?;
    let pin = Pin {
        place: PinPlace::Service,
        cid: cid.to_owned(),
        request_id: Some(standing.id.clone()),
        status,
        error: (status == PinStatus::Failed).then(|| standing.why()),
        changed_at_ms: clock::now_ms(),
    };
    Ok(ctx.db.save_pin(collection, &pin).await?)
}

/// Lets go of folders before this one, and of originals that are not in it any more. Gives what is not as it should be.
pub(super) async fn let_go_of_old(
    ctx: &Context,
    asker: &Asker,
    node: &Node<'_>,
    collection: CollectionId,
    root: &str,
    kept: &HashSet<String>,
) -> Result<Vec<String>, IpfsError> {
    let mut problems = Vec::new();
    for pin in ctx.db.list_pins(collection).await? {
        if pin.cid != root
            && let Err(error) = let_go_of_pin(ctx, asker, node, collection, &pin).await
        {
            problems.push(told(error)?);
        }
    }
    let is_old = |cid: &str| !kept.contains(cid);
    if let Err(error) = let_go_of_files(ctx, node, collection, is_old).await {
        problems.push(told(error)?);
    }
    Ok(problems)
}

/// What is a problem of others, and no end of the work.
fn told(error: IpfsError) -> Result<String, IpfsError> {
    match error {
        IpfsError::Cancelled | IpfsError::Db(_) => Err(error),
        error => Ok(format!("what was published before is still kept: {error}")),
    }
}

async fn let_go_of_pin(
    ctx: &Context,
    asker: &Asker,
    node: &Node<'_>,
    collection: CollectionId,
    pin: &Pin,
) -> Result<(), IpfsError> {
    match (pin.place, Service::new(asker), &pin.request_id) {
        (PinPlace::Node, ..) => node.let_go(&pin.cid).await?,
        (PinPlace::Service, Some(service), Some(id)) => service.let_go(id).await?,
        // It never said what it calls the request: it may have one all the same.
        (PinPlace::Service, Some(service), None) => {
            if let Some(found) = service.find(&pin.cid).await? {
                service.let_go(&found.id).await?;
            }
        }
        (PinPlace::Service, None, _) => {
            return Err(IpfsError::Refused {
                who: "the pinning service",
                why: "it is not configured any more".to_owned(),
            });
        }
    }
    Ok(ctx.db.forget_pin(collection, pin.place, &pin.cid).await?)
}

async fn let_go_of_files(
    ctx: &Context,
    node: &Node<'_>,
    collection: CollectionId,
    is_old: impl Fn(&str) -> bool,
) -> Result<(), IpfsError> {
    let mut after = String::new();
    loop {
        let files = ctx.db.list_sent(collection, &after, AT_ONCE).await?;
        let Some(last) = files.last() else {
            return Ok(());
        };
        after.clone_from(&last.cid);
        for file in files.iter().filter(|file| is_old(&file.cid)) {
            // Plain originals of several collections have one name.
            if !ctx.db.is_sent_elsewhere(collection, &file.cid).await? {
                node.let_go(&file.cid).await?;
            }
            ctx.db.forget_sent(collection, &file.cid).await?;
        }
    }
}

/// Asks all who keep a publication to let go. What others copied stays where it is.
///
/// # Errors
/// [`IpfsError`]; doing it again goes on where that ended.
pub async fn unpin(
    ctx: &Context,
    settings: &IpfsSettings,
    collection: &Collection,
    stop: &CancellationToken,
) -> Result<(), IpfsError> {
    ctx.actor
        .require_operator(Action::OperateMachine)
        .map_err(DbError::from)?;
    let id = collection.id;
    let db = &ctx.db;
    db.set_publication_state(id, PublicationState::Unpinning, None)
        .await?;
    let letting_go = async {
        let asker = Asker::new(settings, stop)?;
        let node = Node::new(&asker)?;
        for pin in db.list_pins(id).await? {
            let_go_of_pin(ctx, &asker, &node, id, &pin).await?;
        }
        let_go_of_files(ctx, &node, id, |_| true).await
    };
    if let Err(error) = letting_go.await {
        let why = error.to_string();
        db.set_publication_state(id, PublicationState::Failed, Some(&why))
            .await?;
        return Err(error);
    }
    Ok(db.note_unpinned(&ctx.actor, collection).await?)
}

/// Asks the node that is configured which version it has.
///
/// # Errors
/// [`IpfsError`]: why it cannot be asked.
pub async fn check_node(
    settings: &IpfsSettings,
    stop: &CancellationToken,
) -> Result<String, IpfsError> {
    let asker = Asker::new(settings, stop)?;
    Node::new(&asker)?.version().await
}

/// Asks all who keep a publication how far they are, and notes it. Who cannot be asked stays as he was, with why.
///
/// # Errors
/// [`IpfsError`].
pub async fn check_pins(
    ctx: &Context,
    settings: &IpfsSettings,
    collection: CollectionId,
    stop: &CancellationToken,
) -> Result<Vec<Pin>, IpfsError> {
    let asker = Asker::new(settings, stop)?;
    for pin in ctx.db.list_pins(collection).await? {
        let looked = match pin.place {
            PinPlace::Node => look_at_node(&asker, &pin).await,
            PinPlace::Service => look_at_service(&asker, &pin).await,
        };
        let now = match looked {
            Ok(now) => now,
            Err(IpfsError::Cancelled) => return Err(IpfsError::Cancelled),
            Err(error) => Pin {
                error: Some(error.to_string()),
                ..pin
            },
        };
        ctx.db.save_pin(collection, &now).await?;
    }
    Ok(ctx.db.list_pins(collection).await?)
}

async fn look_at_node(asker: &Asker, pin: &Pin) -> Result<Pin, IpfsError> {
    let is_kept = Node::new(asker)?.is_kept(&pin.cid).await?;
    Ok(Pin {
        status: if is_kept {
            PinStatus::Pinned
        } else {
            PinStatus::Failed
        },
        error: (!is_kept).then(|| "it does not keep it any more".to_owned()),
        changed_at_ms: clock::now_ms(),
        ..pin.clone()
    })
}

async fn look_at_service(asker: &Asker, pin: &Pin) -> Result<Pin, IpfsError> {
    let refused = |why: &str| IpfsError::Refused {
        who: "the pinning service",
        why: why.to_owned(),
    };
    let service = Service::new(asker).ok_or_else(|| refused("it is not configured any more"))?;
    let found = match &pin.request_id {
        Some(id) => service.look(id).await?,
        None => service.find(&pin.cid).await?,
    };
    let found = found.ok_or_else(|| refused("it does not know of this any more"))?;
    let status = found.status()?;
    Ok(Pin {
        request_id: Some(found.id.clone()),
        status,
        error: (status == PinStatus::Failed).then(|| found.why()),
        changed_at_ms: clock::now_ms(),
        ..pin.clone()
    })
}
