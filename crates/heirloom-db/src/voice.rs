//! Whose voices are in recordings: what each sounds like, and in which others it is heard.
//!
//! A copy of what transcripts say of voices, kept beside them by `keep` alone and gone with them. Who a voice is, only
//! people say: that is read from their claims.

use std::collections::{HashMap, HashSet};

use heirloom_core::{
    Actor, ArtifactId, AssetId, FamilyId,
    permission::Action,
    transcript::{SAME_VOICE, Transcript, VoiceName, Voiceprint, same_voice},
};
use serde_json::json;

use crate::{
    Db, DbError, Tx, claim,
    row::Row,
    sql::statements,
    value::{Value, args},
};

/// A voice of a recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Voice {
    /// What passages of the transcript call it, from 0 on.
    pub label: u32,
    /// What it sounds like.
    pub voiceprint: Voiceprint,
    /// How long it speaks.
    pub spoken_ms: u64,
    /// From when to when each passage of it is, in milliseconds.
    pub passages: Vec<(u64, u64)>,
}

impl Voice {
    /// All voices of a transcript.
    #[must_use]
    pub fn list(transcript: &Transcript) -> Vec<Self> {
        let voices = transcript.speakers.iter().map(|speaker| {
            let passages = transcript.passages.iter();
            let own = passages.filter(|passage| passage.speaker == Some(speaker.label));
            Self {
                label: speaker.label,
                voiceprint: speaker.voice.clone(),
                spoken_ms: speaker.spoken_ms,
                passages: own
                    .map(|passage| (passage.start_ms, passage.end_ms))
                    .collect(),
            }
        });
        voices.collect()
    }

    /// The longest of its passages.
    #[must_use]
    pub fn longest(&self) -> Option<(u64, u64)> {
        let passages = self.passages.iter().copied();
        passages.max_by_key(|(start_ms, end_ms)| end_ms.saturating_sub(*start_ms))
    }
}

/// A voice, who people say it is, and where else it is heard.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownVoice {
    /// The voice.
    pub voice: Voice,
    /// Who it is, and is not.
    pub name: VoiceName,
    /// What sounds the same in other recordings, the most alike first.
    pub elsewhere: Vec<Elsewhere>,
}

impl KnownVoice {
    /// Whose voice it may be, where nobody says who it is: that of the most alike that has a name, unless people say that
    /// it is not theirs.
    #[must_use]
    pub fn suggestion(&self) -> Option<&Elsewhere> {
        let is_possible = |other: &&Elsewhere| {
            let name = other.name.as_deref();
            name.is_some_and(|name| !self.name.denies(name))
        };
        let mut elsewhere = self.elsewhere.iter();
        elsewhere
            .find(is_possible)
            .filter(|_| self.name.name.is_none())
    }
}

/// A voice of another recording that sounds the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Elsewhere {
    /// The recording.
    pub asset: AssetId,
    /// What passages of its transcript call the voice.
    pub label: u32,
    /// How alike they are, from [`SAME_VOICE`] to 1.
    pub likeness: f32,
    /// Who people say it is.
    pub name: Option<String>,
}

const COLUMNS: usize = 7;

statements! {
    ADD = "INSERT INTO asset_voice (asset_id, label, artifact_id, model, numbers, spoken_ms, passages) VALUES {rows}";
    DELETE = "DELETE FROM asset_voice WHERE asset_id = $1";
    LIST = "SELECT label, model, numbers, spoken_ms, passages FROM asset_voice WHERE asset_id = $1 ORDER BY label";
    LIST_PASSAGES = "SELECT asset_id, label, passages FROM asset_voice WHERE asset_id IN ({list})";
    LIST_OTHERS = "SELECT v.asset_id, v.label, v.numbers FROM asset_voice v JOIN asset a ON a.id = v.asset_id
        WHERE a.family_id = $1 AND v.model = $2 AND v.asset_id <> $3 AND a.deleted_at_ms IS NULL
          AND a.state <> 'replaced' AND a.audience_id IN ({list})";
    LIST_UNREAD = "SELECT asset_id, artifact_id FROM asset_text WHERE voices IS NULL AND times IS NOT NULL
        AND asset_id > $1 ORDER BY asset_id LIMIT $2";
    COUNT = "UPDATE asset_text SET voices = $3 WHERE asset_id = $1 AND artifact_id = $2 AND voices IS NULL";
    FORGET_ALL = "UPDATE asset_text SET voices = NULL WHERE times IS NOT NULL";
}

impl Db {
    /// The voices of an asset that was fetched for whoever asks, who people say they are, and where else the actor may
    /// hear them. None where nobody told voices apart.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_voices(
        &self,
        actor: &Actor,
        family: FamilyId,
        asset: AssetId,
    ) -> Result<Vec<KnownVoice>, DbError> {
        actor.require(Action::ViewAsset, family)?;
        let rows = self.fetch(LIST, args![asset]).await?;
        let voices: Vec<Voice> = rows.iter().map(read).collect::<Result<_, _>>()?;
        let claims = self.list_claims(actor, asset).await?;
        let mut models: Vec<&str> = voices
            .iter()
            .map(|it| it.voiceprint.model.as_str())
            .collect();
        models.dedup();
        let mut others = Vec::new();
        for model in models {
            others.extend(self.list_other_voices(actor, family, asset, model).await?);
        }
        let comparing = move || {
            let known = voices.into_iter().map(|voice| KnownVoice {
                name: VoiceName::of(&voice.passages, &claims),
                elsewhere: find_alike(&voice.voiceprint, &others),
                voice,
            });
            known.collect()
        };
        // A library has thousands of voices: nobody else waits for that.
        let compared = tokio::task::spawn_blocking(comparing).await;
        let mut known: Vec<_> =
            compared.map_err(|error| DbError::Unavailable(error.to_string()))?;
        self.name_others(&mut known).await?;
        Ok(known)
    }

    /// What voices sound like, as one model heard them, in all other recordings that the actor may see.
    async fn list_other_voices(
        &self,
        actor: &Actor,
        family: FamilyId,
        asset: AssetId,
        model: &str,
    ) -> Result<Vec<(AssetId, u32, Voiceprint)>, DbError> {
        let audiences = self.list_audiences(family, &actor.sight(family)).await?;
        let audiences = audiences.into_iter().map(Value::from).collect();
        let others = self.fetch_list(LIST_OTHERS, args![family, model, asset], audiences);
        let others = others.await?;
        let others = others.iter().map(|row| {
            let voiceprint = Voiceprint {
                model: model.to_owned(),
                numbers: row.get(2)?,
            };
            Ok((row.get(0)?, read_label(row, 1)?, voiceprint))
        });
        others.collect()
    }

    /// Who people say the voices of other recordings are.
    async fn name_others(&self, known: &mut [KnownVoice]) -> Result<(), DbError> {
        let others = known.iter().flat_map(|known| &known.elsewhere);
        let others: HashSet<AssetId> = others.map(|other| other.asset).collect();
        let list = others.into_iter().map(Value::from).collect();
        let claims = claim::list_speakers(self, list).await?;
        let list = claims.keys().map(|asset| Value::from(*asset)).collect();
        let mut names = HashMap::new();
        for row in self.fetch_list(LIST_PASSAGES, args![], list).await? {
            let (asset, label): (AssetId, _) = (row.get(0)?, read_label(&row, 1)?);
            let passages = read_passages(&row, 2)?;
            let claims = claims.get(&asset).map_or(&[][..], Vec::as_slice);
            names.insert((asset, label), VoiceName::of(&passages, claims).name);
        }
        for other in known.iter_mut().flat_map(|known| &mut known.elsewhere) {
            other.name = names.get(&(other.asset, other.label)).cloned().flatten();
        }
        Ok(())
    }

    /// Transcripts whose voices are not kept yet, after an asset, in the order of the assets: they were stored before
    /// voices were.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_unread_voices(
        &self,
        after: AssetId,
        limit: i64,
    ) -> Result<Vec<(AssetId, ArtifactId)>, DbError> {
        let rows = self.fetch(LIST_UNREAD, args![after, limit]).await?;
        let pairs = rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?)));
        pairs.collect()
    }

    /// Keeps the voices of such a transcript, unless another one has taken its place meanwhile.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn keep_voices(
        &self,
        asset: AssetId,
        artifact: ArtifactId,
        voices: &[Voice],
    ) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        let counted = tx
            .execute(COUNT, args![asset, artifact, count(voices)])
            .await?;
        if counted > 0 {
            keep(&mut tx, asset, artifact, voices).await?;
        }
        tx.commit().await
    }

    /// Has the voices of all transcripts read anew.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn forget_voices(&self, actor: &Actor) -> Result<(), DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let mut tx = self.begin().await?;
        tx.execute(FORGET_ALL, args![]).await?;
        tx.commit().await
    }
}

/// Those that sound the same, the most alike first.
fn find_alike(voice: &Voiceprint, others: &[(AssetId, u32, Voiceprint)]) -> Vec<Elsewhere> {
    let alike = others.iter().filter_map(|(asset, label, other)| {
        let likeness = same_voice(voice, other);
        (likeness >= SAME_VOICE).then_some(Elsewhere {
            asset: *asset,
            label: *label,
            likeness,
            name: None,
        })
    });
    let mut alike: Vec<_> = alike.collect();
    alike.sort_by(|a, b| {
        b.likeness
            .total_cmp(&a.likeness)
            .then(a.asset.cmp(&b.asset))
    });
    alike
}

/// How many there are, as the row of their text has it.
pub(crate) fn count(voices: &[Voice]) -> i64 {
    i64::try_from(voices.len()).unwrap_or(i64::MAX)
}

/// Keeps the voices of a recording in the place of those that were known before.
pub(crate) async fn keep(
    tx: &mut Tx,
    asset: AssetId,
    artifact: ArtifactId,
    voices: &[Voice],
) -> Result<(), DbError> {
    tx.execute(DELETE, args![asset]).await?;
    let row = |voice: &Voice| {
        let Voiceprint { model, numbers } = voice.voiceprint.clone();
        let spoken_ms = i64::try_from(voice.spoken_ms).unwrap_or(i64::MAX);
        let (label, passages) = (i64::from(voice.label), json!(voice.passages).to_string());
        args![asset, label, artifact, model, numbers, spoken_ms, passages]
    };
    let rows: Vec<_> = voices.iter().map(row).collect();
    tx.execute_rows(ADD, COLUMNS, rows).await?;
    Ok(())
}

/// Forgets the voices of an asset.
pub(crate) async fn delete(tx: &mut Tx, asset: AssetId) -> Result<(), DbError> {
    tx.execute(DELETE, args![asset]).await?;
    Ok(())
}

fn read(row: &Row) -> Result<Voice, DbError> {
    Ok(Voice {
        label: read_label(row, 0)?,
        voiceprint: Voiceprint {
            model: row.get(1)?,
            numbers: row.get(2)?,
        },
        spoken_ms: row.get::<i64>(3)?.unsigned_abs(),
        passages: read_passages(row, 4)?,
    })
}

fn read_label(row: &Row, column: usize) -> Result<u32, DbError> {
    let label: i64 = row.get(column)?;
    u32::try_from(label).map_err(|error| DbError::unreadable("a voice", error))
}

fn read_passages(row: &Row, column: usize) -> Result<Vec<(u64, u64)>, DbError> {
    let passages: String = row.get(column)?;
    serde_json::from_str(&passages).map_err(|error| DbError::unreadable("a voice", error))
}
