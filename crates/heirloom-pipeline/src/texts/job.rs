//! What the confined process does: it says what texts mean.

use heirloom_models::texts::{Comparer, TextsError};
use serde_json::json;

use crate::{
    confinement::{Answer, Failure, JobHeader},
    loading::{Loading, files, only, refuse},
};

/// Says what texts mean.
pub(crate) const COMPARE: &str = "compare";

/// What is kept loaded from job to job.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    loading: Loading,
    comparer: Option<Comparer>,
}

impl Reader {
    /// Gives `{}` for each text, with four bytes for each number of what it means.
    pub(crate) fn compare(
        &mut self,
        header: &JobHeader,
        answer: &mut Answer<'_>,
    ) -> Result<(), Failure> {
        let texts = serde_json::from_value(header["texts"].clone());
        let texts: Vec<String> = texts.map_err(|_| refuse("no texts were named".to_owned()))?;
        for meaning in self.comparer(header)?.read(&texts).map_err(failed)? {
            let numbers = meaning.iter();
            let bytes: Vec<u8> = numbers.flat_map(|number| number.to_le_bytes()).collect();
            answer.give(&json!({}), &bytes)?;
        }
        Ok(())
    }

    fn comparer(&mut self, header: &JobHeader) -> Result<&mut Comparer, Failure> {
        if self.comparer.is_none() {
            let weights = only(&files(header, "text_embedding")?)?;
            let runtime = self.loading.runtime(header)?;
            self.comparer = Some(Comparer::load(runtime, weights).map_err(failed)?);
        }
        let missing = || refuse("there is no model for texts".to_owned());
        self.comparer.as_mut().ok_or_else(missing)
    }
}

fn failed(error: TextsError) -> Failure {
    refuse(error.to_string())
}
