//! What was published of a collection, as it goes along with it: all but the key.

use heirloom_core::CollectionId;
use heirloom_db::{
    Db, DbError,
    publication::{Pin, PinPlace, PinStatus, Publication, PublicationState, PublishedFile},
};

use super::format::{PinRecord, PublicationRecord, SentRecord};

/// How many originals are listed at once.
const AT_ONCE: usize = 500;

/// What was published of a collection, if anything was.
pub(super) async fn load(
    db: &Db,
    collection: CollectionId,
) -> Result<Option<PublicationRecord>, DbError> {
    let Some(publication) = db.find_publication(collection).await? else {
        return Ok(None);
    };
    let pins = db.list_pins(collection).await?.into_iter();
    let pins = pins.map(|pin| PinRecord {
        place: pin.place.as_str().to_owned(),
        cid: pin.cid,
        request_id: pin.request_id,
        status: pin.status.as_str().to_owned(),
        changed_at_ms: pin.changed_at_ms,
    });
    let mut sent: Vec<SentRecord> = Vec::new();
    loop {
        let after = sent.last().map_or("", |sent| sent.cid.as_str());
        let page = db.list_sent(collection, after, AT_ONCE).await?;
        if page.is_empty() {
            break;
        }
        sent.extend(page.into_iter().map(|file| SentRecord {
            cid: file.cid,
            asset_id: file.asset_id,
            size_bytes: file.size_bytes,
        }));
    }
    Ok(Some(PublicationRecord {
        state: publication.state.as_str().to_owned(),
        is_plain: publication.is_plain,
        includes_private: publication.includes_private,
        layout: publication.layout,
        consented_by: publication.consented_by,
        consented_at_ms: publication.consented_at_ms,
        root_cid: publication.root_cid,
        files: publication.files,
        bytes: publication.bytes,
        published_at_ms: publication.published_at_ms,
        unpinned_at_ms: publication.unpinned_at_ms,
        pins: pins.collect(),
        sent,
    }))
}

/// The same as the catalogue has it; `None` for what cannot be understood.
pub(crate) fn read(
    record: PublicationRecord,
    collection: CollectionId,
) -> Option<(Publication, Vec<Pin>, Vec<PublishedFile>)> {
    let state = PublicationState::from_word(&record.state)?;
    // Nobody goes on with what another library was at.
    let (state, error) = match state {
        PublicationState::Publishing | PublicationState::Unpinning => {
            let why = "it was under way when it was exported: publish it, or let go of it, again";
            (PublicationState::Failed, Some(why.to_owned()))
        }
        state => (state, None),
    };
    let pins = record.pins.into_iter().map(|pin| {
        Some(Pin {
            place: PinPlace::from_word(&pin.place)?,
            cid: pin.cid,
            request_id: pin.request_id,
            status: PinStatus::from_word(&pin.status)?,
            error: None,
            changed_at_ms: pin.changed_at_ms,
        })
    });
    let pins = pins.collect::<Option<Vec<Pin>>>()?;
    let sent = record.sent.into_iter().map(|file| PublishedFile {
        cid: file.cid,
        asset_id: file.asset_id,
        size_bytes: file.size_bytes,
    });
    let publication = Publication {
        collection_id: collection,
        state,
        is_plain: record.is_plain,
        includes_private: record.includes_private,
        layout: record.layout,
        key_hash: None,
        consented_by: record.consented_by,
        consented_at_ms: record.consented_at_ms,
        root_cid: record.root_cid,
        files: record.files,
        bytes: record.bytes,
        error,
        published_at_ms: record.published_at_ms,
        unpinned_at_ms: record.unpinned_at_ms,
    };
    Some((publication, pins, sent.collect()))
}
