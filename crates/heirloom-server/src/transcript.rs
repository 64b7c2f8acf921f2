//! What is said in films and recordings.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use heirloom_core::{Actor, ArtifactId, AssetId, transcript::Transcript};
use heirloom_db::artifact::Part;
use heirloom_pipeline::{
    hearing::Hearing,
    payload::read_payload,
    tool::transcript::{Heard, TRANSCRIPT, keywords_of},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    extract::IdPath,
    library::Library,
    problem::{Code, Problem},
    wire,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(get_transcript))
        .routes(routes!(get_captions))
}

/// What is said in a film or recording, passage by passage and word by word, as people corrected it. While it is being
/// heard for the first time, what was heard so far.
#[utoipa::path(get, path = "/api/v1/assets/{id}/transcript", tag = "asset", params(("id" = String, Path, description = "The asset", format = "uuid")), responses(
    (status = 200, description = "What is said", body = wire::Transcript),
    (status = 404, description = "There is no such asset, or nobody has heard it yet", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_transcript(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<AssetId>,
) -> Result<Json<wire::Transcript>, Problem> {
    // Before what is stored: what is no longer being heard is there.
    let hearing = library.engine().hearings().find(id);
    let (artifact, mut heard) = match (find(&library, &actor, id).await, &hearing) {
        (Ok((None, _)), Some(hearing)) => (None, so_far(&library, &actor, id, hearing).await?),
        (Err(problem), Some(hearing)) if problem.code() == Code::NotFound => {
            (None, so_far(&library, &actor, id, hearing).await?)
        }
        (found, _) => found?,
    };
    heard.keywords = keywords_of(&heard.transcript);
    Ok(Json(wire::Transcript::of(
        artifact,
        hearing.as_ref(),
        heard,
    )))
}

/// What was heard so far of an asset that is being heard for the first time. Who speaks is told when all of it was.
async fn so_far(
    library: &Library,
    actor: &Actor,
    id: AssetId,
    hearing: &Hearing,
) -> Result<Heard, Problem> {
    library.db().get_asset(actor, id).await?;
    let claims = library.db().list_claims(actor, id).await?;
    let heard = Transcript::of_words(None, hearing.words.to_vec());
    Ok(Heard {
        method: String::new(),
        model: String::new(),
        confidence: heard.confidence(),
        keywords: Vec::new(),
        basics: None,
        transcript: heard.corrected(&claims),
    })
}

/// The same as captions of browsers (WebVTT).
#[utoipa::path(get, path = "/api/v1/assets/{id}/captions", tag = "asset", params(("id" = String, Path, description = "The asset", format = "uuid")), responses(
    (status = 200, description = "The captions", body = String, content_type = "text/vtt"),
    (status = 404, description = "There is no such asset, or nobody has heard it yet", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_captions(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<AssetId>,
) -> Result<Response, Problem> {
    let (_, heard) = find(&library, &actor, id).await?;
    let vtt = heard.transcript.to_vtt();
    Ok(([(header::CONTENT_TYPE, "text/vtt; charset=utf-8")], vtt).into_response())
}

/// What was heard in an asset, as people corrected it; or what they wrote down themselves, where nobody heard it.
async fn find(
    library: &Library,
    actor: &Actor,
    id: AssetId,
) -> Result<(Option<ArtifactId>, Heard), Problem> {
    let asset = library.db().get_asset(actor, id).await?;
    let found = library.db().find_artifact(&asset, TRANSCRIPT, Part::Whole);
    let artifact = found.await?;
    let stored: Option<Heard> = match &artifact {
        Some(artifact) => Some(read_payload(&library.context(actor.clone()), artifact).await?),
        None => None,
    };
    let claims = library.db().list_claims(actor, id).await?;
    if let (Some(artifact), Some(mut heard)) = (
        artifact,
        stored.as_ref().filter(|it| !it.is_unheard()).cloned(),
    ) {
        heard.transcript = heard.transcript.corrected(&claims);
        return Ok((Some(artifact.id), heard));
    }
    let written = Transcript::default().corrected(&claims);
    if !written.passages.is_empty() {
        return Ok((None, Heard::by_people(written)));
    }
    let Some(unheard) = stored else {
        return Err(Problem::new(
            Code::NotFound,
            format!("nobody has written down what is said in the asset {id}"),
        )
        .hint("Begin a run of `understand`, once the model for speech is here: see the models."));
    };
    let why = unheard.basics.and_then(|basics| basics.why);
    let why = why.unwrap_or_else(|| "nobody is there who could".to_owned());
    Err(Problem::new(
        Code::NotFound,
        format!("nobody has heard the asset {id} yet: {why}"),
    )
    .hint("Begin a run of `understand`, once a model for speech is here or the service answers."))
}
