//! `heirloom doctor`

use heirloom_server::{Problem, wire::Diagnosis};

use crate::{
    Ending,
    api::Api,
    output::{Output, count, line, table},
};

pub(super) async fn look(api: &Api, output: &Output) -> Result<Ending, Problem> {
    let diagnosis: Diagnosis = api.get("/api/v1/doctor").await?;
    output.data(&diagnosis, || describe(&diagnosis));
    Ok(if diagnosis.is_well {
        Ending::Done
    } else {
        Ending::Partly
    })
}

fn describe(diagnosis: &Diagnosis) -> String {
    let counts = &diagnosis.counts;
    let number = |number: i64| count(number.unsigned_abs());
    let head = [
        ("version", diagnosis.version.clone()),
        ("data folder", diagnosis.data_folder.clone()),
        ("archives", number(counts.archives)),
        (
            "assets",
            format!(
                "{} ({} missing, {} replaced, {} deleted)",
                number(counts.assets),
                number(counts.missing),
                number(counts.replaced),
                number(counts.deleted)
            ),
        ),
    ];
    let mut text = table(&head.map(|(name, value)| vec![name.to_owned(), value]));
    text.push('\n');
    let rows: Vec<Vec<String>> = diagnosis
        .checks
        .iter()
        .map(|check| {
            let mark = if check.is_well { "ok" } else { "!!" };
            vec![mark.to_owned(), check.name.clone(), check.detail.clone()]
        })
        .collect();
    text += &table(&rows);
    for check in &diagnosis.checks {
        if let Some(hint) = &check.hint {
            text += &line(&format!("hint ({}): {hint}", check.name));
            text.push('\n');
        }
    }
    text
}
