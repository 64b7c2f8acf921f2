//! Who does what models do, where a command says who is to.

use heirloom_pipeline::way::{Task, Way, Ways};
use heirloom_server::{Code, Problem};

use super::bar::Bar;

/// Who is tried: the one that is named, or those that are configured.
pub(super) fn named(
    ways: &Ways,
    task: &Task,
    name: Option<&str>,
    does: &str,
) -> Result<Vec<Way>, Problem> {
    let Some(name) = name else {
        return Ok(ways.order().to_vec());
    };
    let can = |way: &Way| task.may_be_noted || !matches!(way, Way::Metadata);
    let way = ways.find(name).filter(can).ok_or_else(|| {
        let services = ways.services().iter();
        let mut names = vec!["local".to_owned()];
        names.extend(services.map(|service| service.settings().name.clone()));
        Problem::new(
            Code::NotFound,
            format!("nobody is called {name:?} who {does}"),
        )
        .hint(format!(
            "There is: {}. `heirloom config show` says where they are.",
            names.join(", ")
        ))
    })?;
    Ok(vec![way])
}

/// The models of this machine among those who are tried: films go nowhere.
pub(super) fn for_film<'a>(ways: &'a [Way], done: &str) -> Result<&'a Way, Problem> {
    let local = ways.iter().find(|way| matches!(way, Way::Local));
    local.ok_or_else(|| {
        let refused = format!("films are {done} on this machine alone");
        Problem::new(Code::Refused, refused)
            .hint("Leave `--provider` out, or say `--provider local`.")
    })
}

/// Says where what services are sent goes, before it does.
pub(super) fn say_where(ways: &[Way], sent: &str, bar: &mut Bar) {
    for way in ways {
        if let Way::Service(service) = way {
            let settings = service.settings();
            let reach = settings.reach().in_words();
            bar.say(&match ways.len() {
                1 => format!("{sent} goes to {} and {reach}", settings.address),
                _ => format!(
                    "where it comes to {}, {sent} goes to {} and {reach}",
                    settings.name, settings.address
                ),
            });
        }
    }
}
