//! `heirloom pipeline …`

use heirloom_server::{
    Code, Problem,
    wire::{Page, Pipeline, Step},
};

use crate::{
    api::Api,
    arguments,
    output::{Output, list, table},
};

pub(super) async fn run(
    api: &Api,
    asked: arguments::Pipeline,
    output: &Output,
) -> Result<(), Problem> {
    let page: Page<Pipeline> = api.get("/api/v1/pipelines").await?;
    match asked {
        arguments::Pipeline::List => output.data(&page, || {
            list(&page.items.iter().map(row).collect::<Vec<_>>())
        }),
        arguments::Pipeline::Show { name } => {
            let mut pipelines = page.items.iter();
            let Some(pipeline) = pipelines.find(|pipeline| pipeline.name == name) else {
                let unknown = format!("there is no pipeline {name:?}");
                return Err(Problem::new(Code::NotFound, unknown)
                    .hint("`heirloom pipeline list` tells which there are."));
            };
            output.data(pipeline, || describe(pipeline));
        }
    }
    Ok(())
}

fn row(pipeline: &Pipeline) -> Vec<String> {
    let steps: Vec<&str> = pipeline
        .steps
        .iter()
        .map(|step| step.step.as_str())
        .collect();
    vec![pipeline.name.clone(), steps.join(", ")]
}

fn describe(pipeline: &Pipeline) -> String {
    let mut text = table(&pipeline.steps.iter().map(step_row).collect::<Vec<_>>());
    for step in &pipeline.steps {
        let parameters = step.parameters["properties"].as_object();
        for (name, schema) in parameters.into_iter().flatten() {
            text += &format!(
                "--param {}.{name}={}: {} From {} to {}.\n",
                step.step,
                schema["default"],
                schema["description"].as_str().unwrap_or_default(),
                schema["minimum"],
                schema["maximum"],
            );
        }
    }
    text
}

fn step_row(step: &Step) -> Vec<String> {
    vec![
        step.step.clone(),
        format!("{} {}", step.tool, step.tool_version),
        format!("{} in", step.view),
        format!("{} out", step.outputs.join(", ")),
    ]
}
