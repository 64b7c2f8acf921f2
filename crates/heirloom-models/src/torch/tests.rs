use super::*;

/// What a pickle says of one tensor.
struct Described<'a> {
    name: &'a str,
    offset: u8,
    shape: &'a [u8],
    steps: &'a [u8],
}

fn text(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap().to_le_bytes();
    [b"X", &length[..], text.as_bytes()].concat()
}

fn tuple(numbers: &[u8]) -> Vec<u8> {
    let numbers = numbers.iter().flat_map(|number| [b'K', *number]);
    [b"(".to_vec(), numbers.collect(), b"t".to_vec()].concat()
}

/// A file with these tensors, all of which lie in the numbers from 0 on.
fn file(tensors: &[Described<'_>], numbers: u8) -> Vec<u8> {
    let storage = [
        b"(".to_vec(),
        text("storage"),
        b"ctorch\nFloatStorage\n".to_vec(),
        text("0"),
        text("cpu"),
        vec![b'K', numbers],
        b"tQ".to_vec(),
    ]
    .concat();
    let tensors = tensors.iter().flat_map(|it| {
        [
            text(it.name),
            b"ctorch._utils\n_rebuild_tensor_v2\n(".to_vec(),
            storage.clone(),
            vec![b'K', it.offset],
            tuple(it.shape),
            tuple(it.steps),
            b"tR".to_vec(),
        ]
        .concat()
    });
    let values = (0..numbers).flat_map(|number| f32::from(number).to_le_bytes());
    [
        MAGIC.to_vec(),
        // The version, and the machine that it was saved on.
        b"K\x01.}.".to_vec(),
        b"}(".to_vec(),
        tensors.collect(),
        b"u.](".to_vec(),
        text("0"),
        b"e.".to_vec(),
        u64::from(numbers).to_le_bytes().to_vec(),
        values.collect(),
    ]
    .concat()
}

fn one<'a>(offset: u8, shape: &'a [u8], steps: &'a [u8]) -> Described<'a> {
    Described {
        name: "it",
        offset,
        shape,
        steps,
    }
}

#[test]
fn tensors_that_share_numbers_are_read_row_by_row_however_they_lie() {
    let as_it_lies = one(0, &[2, 3], &[3, 1]);
    let turned = Described {
        name: "turned",
        ..one(0, &[3, 2], &[1, 3])
    };
    let every_other = Described {
        name: "every other",
        ..one(1, &[3], &[2])
    };
    let alone = Described {
        name: "alone",
        ..one(4, &[], &[])
    };
    let bytes = file(&[as_it_lies, turned, every_other, alone], 6);
    let tensors = Tensors::read(&bytes, None).unwrap();
    let values = |name: &str, shape: &[usize]| tensors.get(name, shape).unwrap().to_vec();
    assert_eq!(values("it", &[2, 3]), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(values("turned", &[3, 2]), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    assert_eq!(values("every other", &[3]), [1.0, 3.0, 5.0]);
    assert_eq!(values("alone", &[]), [4.0]);
    // Of another shape it is not given.
    let error = tensors.get("turned", &[2, 3]).unwrap_err().to_string();
    assert!(error.contains("is of shape [3, 2]"), "{error}");
}

#[test]
fn a_tensor_that_reaches_out_of_its_numbers_is_refused() {
    for (tensor, why) in [
        // Behind the end, by where it begins, how far it steps, and how much it has.
        (one(6, &[1], &[1]), "longer than what it lies in"),
        (one(0, &[2, 3], &[4, 1]), "longer than what it lies in"),
        (one(0, &[7], &[1]), "longer than what it lies in"),
        // One number again and again, which would fill the memory.
        (
            one(0, &[200, 200, 200], &[0, 0, 0]),
            "longer than what it lies in",
        ),
        (one(0, &[2, 3], &[1]), "described otherwise"),
    ] {
        let error = Tensors::read(&file(&[tensor], 6), None).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}
