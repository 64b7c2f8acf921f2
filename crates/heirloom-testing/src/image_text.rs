//! Small models of the CLIP family, with the names and shapes of real ones: they know colours, and nothing else.
//!
//! A picture is the mean of its pixels. Of a text they know the words for red, green and blue, and *strawberry*,
//! *broccoli* and *lake*, which have these colours; all other letters are a little grey.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

/// Which of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// As TinyCLIP: words, a mask, and texts that are more or less likely than one another.
    Clip,
    /// As SigLIP 2: letters, no mask, and texts that are likely by themselves.
    Siglip,
}

const WORDS: [(&str, [f32; 3]); 6] = [
    ("red", [1.0, 0.0, 0.0]),
    ("green", [0.0, 1.0, 0.0]),
    ("blue", [0.0, 0.0, 1.0]),
    ("strawberry", [1.0, 0.0, 0.0]),
    ("broccoli", [0.0, 1.0, 0.0]),
    ("lake", [0.0, 0.0, 1.0]),
];
/// What a letter says.
const GREY: f32 = 0.01;
const CLIP_MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
const CLIP_DEVIATION: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];

impl Family {
    /// The files of a model: `model.onnx`, `tokenizer.json` and `preprocessor_config.json`.
    #[must_use]
    pub fn files(self) -> BTreeMap<&'static str, Vec<u8>> {
        let (tokeniser, names) = self.tokeniser();
        BTreeMap::from([
            ("model.onnx", self.network(&names)),
            ("tokenizer.json", tokeniser.to_string().into_bytes()),
            (
                "preprocessor_config.json",
                self.preprocessor().to_string().into_bytes(),
            ),
        ])
    }

    /// How many numbers a picture or a text is.
    const fn width(self) -> usize {
        match self {
            Self::Clip => 512,
            Self::Siglip => 768,
        }
    }

    fn preprocessor(self) -> Json {
        match self {
            Self::Clip => json!({
                "do_center_crop": true, "crop_size": { "height": 224, "width": 224 },
                "do_resize": true, "size": { "shortest_edge": 224 }, "resample": 3,
                "do_rescale": true, "rescale_factor": 1.0 / 255.0,
                "do_normalize": true, "image_mean": CLIP_MEAN, "image_std": CLIP_DEVIATION,
            }),
            Self::Siglip => json!({
                "do_resize": true, "size": { "height": 224, "width": 224 }, "resample": 2,
                "do_rescale": true, "rescale_factor": 1.0 / 255.0,
                "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
            }),
        }
    }

    /// The file of tokens, and what each number is.
    fn tokeniser(self) -> (Json, Vec<String>) {
        let letters = ('a'..='z').chain('0'..='9').chain(".,!?'-&".chars());
        let letters: Vec<String> = letters.map(String::from).collect();
        let end = match self {
            Self::Clip => "</w>",
            Self::Siglip => "",
        };
        let mut names: Vec<String> = match self {
            Self::Clip => letters
                .iter()
                .cloned()
                .chain(letters.iter().map(|letter| format!("{letter}{end}")))
                .collect(),
            Self::Siglip => {
                let first = ["<pad>", "<eos>", "<bos>", "\u{2581}"].map(String::from);
                let bytes = (0..=u8::MAX).map(|byte| format!("<0x{byte:02X}>"));
                first.into_iter().chain(bytes).chain(letters).collect()
            }
        };
        let mut merges = Vec::new();
        for (word, _) in WORDS {
            let mut so_far = word[..1].to_owned();
            for (at, letter) in word.char_indices().skip(1) {
                let next = match at + 1 == word.len() {
                    true => format!("{letter}{end}"),
                    false => letter.to_string(),
                };
                let whole = format!("{so_far}{next}");
                if !names.contains(&whole) {
                    merges.push(json!(format!("{so_far} {next}")));
                    names.push(whole.clone());
                }
                so_far = whole;
            }
        }
        let processor = match self {
            Self::Clip => {
                names.extend(["<|startoftext|>", "<|endoftext|>"].map(String::from));
                let count = names.len();
                json!({ "type": "RobertaProcessing", "sep": ["<|endoftext|>", count - 1],
                        "cls": ["<|startoftext|>", count - 2] })
            }
            Self::Siglip => json!({
                "type": "TemplateProcessing",
                "single": [{ "Sequence": { "id": "A", "type_id": 0 } }, { "SpecialToken": { "id": "<eos>", "type_id": 0 } }],
                "special_tokens": { "<eos>": { "id": "<eos>", "ids": [1], "tokens": ["<eos>"] } },
            }),
        };
        let vocabulary: BTreeMap<&String, usize> = names
            .iter()
            .enumerate()
            .map(|(id, name)| (name, id))
            .collect();
        let mut model = json!({ "type": "BPE", "vocab": vocabulary, "merges": merges });
        if self == Self::Clip {
            model["end_of_word_suffix"] = json!(end);
        }
        let file = json!({ "version": "1.0", "added_tokens": [], "post_processor": processor, "model": model });
        (file, names)
    }

    /// The network: see `onnx.proto` of the ONNX standard for the numbers of fields.
    fn network(self, names: &[String]) -> Vec<u8> {
        let width = self.width();
        let meaning = |name: &String| {
            let colour = WORDS
                .iter()
                .find(|(word, _)| name.trim_end_matches("</w>") == *word);
            match colour {
                Some((_, colour)) => *colour,
                // What fills a text up says nothing.
                None if name == "<pad>" => [0.0; 3],
                None => [GREY; 3],
            }
        };
        let rows = names.iter().flat_map(|name| {
            let mut row = vec![0.0; width];
            row[..3].copy_from_slice(&meaning(name));
            row
        });
        let rows: Vec<f32> = rows.collect();
        let mut colours = vec![0.0; 3 * width];
        for channel in 0..3 {
            colours[channel * width + channel] = 1.0;
        }
        let (mean, deviation, offset) = match self {
            Self::Clip => (CLIP_MEAN, CLIP_DEVIATION, 0.0),
            Self::Siglip => ([0.5; 3], [0.5; 3], -80.0),
        };
        let mut graph = Graph::default();
        graph.floats("rows", &[names.len() as u64, width as u64], &rows);
        graph.floats("colours", &[3, width as u64], &colours);
        graph.floats("mean", &[3], &mean);
        graph.floats("deviation", &[3], &deviation);
        graph.floats("tiny", &[], &[1e-12]);
        graph.floats("slope", &[], &[100.0]);
        graph.floats("offset", &[], &[offset]);
        graph.whole("second", &[1], &[1]);
        graph.whole("last", &[1], &[2]);
        graph.node("GlobalAveragePool", &["pixel_values"], "pooled", &[]);
        graph.node("Flatten", &["pooled"], "flat", &[]);
        graph.node("Mul", &["flat", "deviation"], "spread", &[]);
        graph.node("Add", &["spread", "mean"], "light", &[]);
        graph.node("MatMul", &["light", "colours"], "image_embeds", &[]);
        graph.node("Gather", &["rows", "input_ids"], "words", &[]);
        let mut said = "words";
        if self == Self::Clip {
            graph.node("Cast", &["attention_mask"], "mask", &[("to", 1)]);
            graph.node("Unsqueeze", &["mask", "last"], "wide_mask", &[]);
            graph.node("Mul", &["words", "wide_mask"], "masked", &[]);
            said = "masked";
        }
        graph.node(
            "ReduceSum",
            &[said, "second"],
            "text_embeds",
            &[("keepdims", 0)],
        );
        for side in ["image", "text"] {
            let [embeds, squares, sum, length, some, unit] =
                ["embeds", "squares", "sum", "length", "some", "unit"]
                    .map(|part| format!("{side}_{part}"));
            graph.node("Mul", &[&embeds, &embeds], &squares, &[]);
            graph.node("ReduceSum", &[&squares, "second"], &sum, &[("keepdims", 1)]);
            graph.node("Sqrt", &[&sum], &length, &[]);
            graph.node("Add", &[&length, "tiny"], &some, &[]);
            graph.node("Div", &[&embeds, &some], &unit, &[]);
        }
        graph.node("Transpose", &["text_unit"], "turned", &[]);
        graph.node("MatMul", &["image_unit", "turned"], "near", &[]);
        graph.node("Mul", &["near", "slope"], "steep", &[]);
        graph.node("Add", &["steep", "offset"], "logits_per_image", &[]);
        graph.input("pixel_values", FLOAT, &["batch_size", "3", "224", "224"]);
        graph.input("input_ids", WHOLE, &["text_batch_size", "sequence_length"]);
        if self == Self::Clip {
            graph.input(
                "attention_mask",
                WHOLE,
                &["text_batch_size", "sequence_length"],
            );
        }
        let side = width.to_string();
        graph.output("logits_per_image", &["batch_size", "text_batch_size"]);
        graph.output("text_embeds", &["text_batch_size", &side]);
        graph.output("image_embeds", &["batch_size", &side]);
        graph.finish()
    }
}

/// Kinds of numbers.
const FLOAT: u64 = 1;
const WHOLE: u64 = 7;

/// The fields of a graph under construction.
#[derive(Default)]
struct Graph {
    nodes: Vec<u8>,
    rest: Vec<u8>,
}

impl Graph {
    fn node(&mut self, operator: &str, inputs: &[&str], output: &str, attributes: &[(&str, u64)]) {
        let mut node = Vec::new();
        inputs
            .iter()
            .for_each(|input| bytes(&mut node, 1, input.as_bytes()));
        bytes(&mut node, 2, output.as_bytes());
        bytes(&mut node, 3, output.as_bytes());
        bytes(&mut node, 4, operator.as_bytes());
        for (name, value) in attributes {
            let mut attribute = Vec::new();
            bytes(&mut attribute, 1, name.as_bytes());
            number(&mut attribute, 3, *value);
            // A whole number.
            number(&mut attribute, 20, 2);
            bytes(&mut node, 5, &attribute);
        }
        bytes(&mut self.nodes, 1, &node);
    }

    fn floats(&mut self, name: &str, shape: &[u64], values: &[f32]) {
        let raw: Vec<u8> = values.iter().flat_map(|it| it.to_le_bytes()).collect();
        self.tensor(name, shape, FLOAT, &raw);
    }

    fn whole(&mut self, name: &str, shape: &[u64], values: &[i64]) {
        let raw: Vec<u8> = values.iter().flat_map(|it| it.to_le_bytes()).collect();
        self.tensor(name, shape, WHOLE, &raw);
    }

    fn tensor(&mut self, name: &str, shape: &[u64], kind: u64, raw: &[u8]) {
        let mut tensor = Vec::new();
        shape.iter().for_each(|side| number(&mut tensor, 1, *side));
        number(&mut tensor, 2, kind);
        bytes(&mut tensor, 8, name.as_bytes());
        bytes(&mut tensor, 9, raw);
        bytes(&mut self.rest, 5, &tensor);
    }

    fn input(&mut self, name: &str, kind: u64, shape: &[&str]) {
        bytes(&mut self.rest, 11, &described(name, kind, shape));
    }

    fn output(&mut self, name: &str, shape: &[&str]) {
        bytes(&mut self.rest, 12, &described(name, FLOAT, shape));
    }

    /// The file.
    fn finish(self) -> Vec<u8> {
        let mut graph = self.nodes;
        bytes(&mut graph, 2, b"colours");
        graph.extend(self.rest);
        let mut operators = Vec::new();
        bytes(&mut operators, 1, b"");
        number(&mut operators, 2, 17);
        let mut file = Vec::new();
        number(&mut file, 1, 8);
        bytes(&mut file, 7, &graph);
        bytes(&mut file, 8, &operators);
        file
    }
}

/// What comes in or goes out; a side without a number has a name.
fn described(name: &str, kind: u64, shape: &[&str]) -> Vec<u8> {
    let mut sides = Vec::new();
    for side in shape {
        let mut one = Vec::new();
        match side.parse() {
            Ok(length) => number(&mut one, 1, length),
            Err(_) => bytes(&mut one, 2, side.as_bytes()),
        }
        bytes(&mut sides, 1, &one);
    }
    let mut tensor = Vec::new();
    number(&mut tensor, 1, kind);
    bytes(&mut tensor, 2, &sides);
    let mut of_kind = Vec::new();
    bytes(&mut of_kind, 1, &tensor);
    let mut described = Vec::new();
    bytes(&mut described, 1, name.as_bytes());
    bytes(&mut described, 2, &of_kind);
    described
}

/// A field that is a whole number.
fn number(to: &mut Vec<u8>, field: u64, value: u64) {
    varint(to, field << 3);
    varint(to, value);
}

/// A field that is so many bytes.
fn bytes(to: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(to, field << 3 | 2);
    varint(to, value.len() as u64);
    to.extend(value);
}

fn varint(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}
