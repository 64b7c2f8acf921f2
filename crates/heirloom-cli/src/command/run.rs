//! `heirloom run …`

use heirloom_server::{
    Problem,
    wire::{Page, Run},
};
use http::Method;

use super::{
    paging::{collect, more},
    scan::{describe_progress, describe_report},
};
use crate::{
    api::Api,
    arguments,
    output::{Output, line, list, table},
};

pub(super) async fn run(api: &Api, asked: arguments::Run, output: &Output) -> Result<(), Problem> {
    match asked {
        arguments::Run::List { paging } => {
            let page: Page<Run> = collect(api, "/api/v1/runs", &paging).await?;
            output.data(&page, || {
                if page.items.is_empty() {
                    return "No runs yet.".to_owned();
                }
                let rows: Vec<_> = page.items.iter().map(row).collect();
                list(&rows) + &more(page.next.as_deref())
            });
        }
        arguments::Run::Status { id } => {
            let run: Run = api.get(&format!("/api/v1/runs/{id}")).await?;
            output.data(&run, || describe(&run));
        }
        arguments::Run::Cancel { id } => {
            let path = format!("/api/v1/runs/{id}/cancel");
            let run: Run = api.ask(Method::POST, &path, &[], None).await?;
            output.data(&run, || describe(&run));
        }
    }
    Ok(())
}

fn row(run: &Run) -> Vec<String> {
    vec![
        run.id.to_string(),
        run.pipeline.clone(),
        run.state.to_string(),
        describe_progress(run),
    ]
}

fn describe(run: &Run) -> String {
    let mut text = table(&[row(run)]);
    if let Some(error) = &run.error {
        text += &format!("{}\n", line(error));
    }
    if let Some(report) = &run.report {
        text += &describe_report(report);
    }
    text
}
