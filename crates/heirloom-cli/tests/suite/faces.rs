//! Faces in pictures, with the real model in the real program.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use heirloom_core::{
    Area,
    face::{SAME_FACE, same_face},
};
use heirloom_pipeline::tool::faces::Seen;
use heirloom_testing::{
    media::{repository, sample_library},
    models,
    process::Heirloom,
};
use serde_json::{Value as Json, json};

use crate::harness::{Home, assert_refusal, path, program};

fn finding() -> Heirloom {
    program().env("HEIRLOOM_MODELS", path(&models::folder()))
}

fn astronaut() -> PathBuf {
    repository().join("testdata/faces/astronaut.jpg")
}

fn find(picture: &Path) -> Seen {
    let finished = finding()
        .run(["--json", "faces", path(picture)])
        .expect_code(0);
    serde_json::from_str(&finished.stdout).unwrap()
}

fn ffmpeg(arguments: &[&str], to: &Path) {
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(arguments)
        .args(["-frames:v", "1", "-update", "1"])
        .arg(to)
        .status();
    assert!(made.unwrap().success());
}

#[test]
fn a_face_is_found_with_its_features_in_it() {
    let seen = find(&astronaut());
    assert_eq!(seen.model, "faceplugin");
    let [face] = seen.faces.faces.as_slice() else {
        panic!("{} faces", seen.faces.faces.len());
    };
    let [left, top, width, height] = face.area.shares();
    assert!(
        (0.3..0.4).contains(&left) && (0.1..0.2).contains(&top),
        "{}",
        face.area
    );
    assert!(
        face.probability > 0.99 && face.quality > 0.6,
        "{}",
        face.quality
    );
    assert_eq!((face.landmarks.len(), face.print.numbers.len()), (68, 512));
    for [x, y] in face.landmarks.iter().map(|it| it.map(f64::from)) {
        assert!((left - 0.2 * width..left + 1.2 * width).contains(&x), "{x}");
        assert!((top..top + 1.1 * height).contains(&y), "{y}");
    }
    // The eyes are above the mouth, and the left one is at the left.
    let at = |point: usize| face.landmarks[point - 1];
    assert!(at(37)[1] < at(49)[1] && at(37)[0] < at(46)[0]);
    let said = finding().run(["faces", path(&astronaut())]).expect_code(0);
    assert!(said.stdout.contains("% from the left"), "{}", said.stdout);
}

/// A film in which somebody is seen, then a cat, then the same person closer.
fn film(to: &Path) {
    let cat = repository().join("testdata/pictures/chelsea.png");
    let astronaut = astronaut();
    let scene = |picture, crop| {
        let fit = "scale=640:640:force_original_aspect_ratio=decrease,pad=640:640:-1:-1,setsar=1";
        (picture, format!("{crop},{fit}"))
    };
    let scenes = [
        scene(&astronaut, "null"),
        scene(&cat, "null"),
        scene(&astronaut, "crop=300:300:90:0"),
    ];
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y"]);
    for (picture, _) in &scenes {
        command.args(["-r", "5", "-loop", "1", "-t", "3", "-i", path(picture)]);
    }
    let fits = scenes.iter().enumerate();
    let fits = fits.map(|(at, (_, fit))| format!("[{at}]{fit}[p{at}];"));
    let filter = fits.collect::<String>() + "[p0][p1][p2]concat=n=3";
    command.args(["-filter_complex", &filter, "-pix_fmt", "yuv420p"]);
    assert!(command.arg(to).status().unwrap().success());
}

#[test]
fn somebody_in_a_film_is_one_face_with_the_moments_at_which_it_is_seen() {
    let mut home = Home::new();
    home.heirloom = home
        .heirloom
        .env("HEIRLOOM_MODELS", path(&models::folder()));
    let root = home.folder.path().join("Films");
    fs::create_dir_all(&root).unwrap();
    let flight = root.join("flight.mp4");
    film(&flight);
    let seen = find(&flight);
    let [face] = seen.faces.faces.as_slice() else {
        panic!(
            "{:?}",
            seen.faces
                .faces
                .iter()
                .map(|it| (it.at_ms, it.quality))
                .collect::<Vec<_>>()
        );
    };
    assert_eq!(face.moments, [0, 6000]);
    assert!(face.moments.contains(&face.at_ms.unwrap()));
    let said = finding()
        .run(["faces", path(&flight)])
        .expect_code(0)
        .stdout;
    assert!(said.contains("2 times in 0:00–0:06; "), "{said}");

    home.done(["scan", path(&root)]);
    let id = home.asset("flight.mp4");
    let faces = home.json(["asset", "faces", &id]);
    assert_eq!(faces["faces"][0]["moments"], json!([0, 6000]), "{faces}");
    let face = faces["faces"][0]["id"].as_str().unwrap();
    home.done(["people", "name", "Eileen", "--face", face]);
    assert!(
        home.done(["search", "person:eileen"])
            .stdout
            .contains("flight.mp4")
    );
}

#[test]
fn a_face_in_a_mirror_and_one_in_a_picture_that_lies_on_its_side_are_the_same() {
    let home = Home::new();
    let mirrored = home.folder.path().join("mirrored.png");
    ffmpeg(&["-i", path(&astronaut()), "-vf", "hflip"], &mirrored);
    // A camera that was held on its side says so in the file.
    let lying = home.folder.path().join("lying.jpg");
    ffmpeg(
        &[
            "-i",
            path(&astronaut()),
            "-vf",
            "transpose=cclock",
            "-q:v",
            "2",
        ],
        &lying,
    );
    fs::write(&lying, with_orientation(&fs::read(&lying).unwrap(), 6)).unwrap();
    let upright = find(&astronaut()).faces.faces.remove(0);
    for (picture, is_mirrored) in [(&mirrored, true), (&lying, false)] {
        let faces = find(picture).faces.faces;
        assert_eq!(faces.len(), 1, "{}", picture.display());
        let likeness = same_face(&upright.print, &faces[0].print);
        assert!(likeness > 0.7, "{}: {likeness}", picture.display());
        let overlap = upright.area.overlap(faces[0].area);
        assert_eq!(overlap > 0.8, !is_mirrored, "{}", faces[0].area);
    }
}

#[test]
fn a_face_in_a_print_that_was_scanned_on_its_side_or_upside_down_is_found() {
    let home = Home::new();
    let upright = find(&astronaut()).faces.faces.remove(0);
    let [left, top, width, height] = upright.area.shares();
    // Where the face is when the picture is turned with the clock, against it, and by half.
    let turns = [
        ("transpose=clock", [1.0 - top - height, left, height, width]),
        ("transpose=cclock", [top, 1.0 - left - width, height, width]),
        (
            "hflip,vflip",
            [1.0 - left - width, 1.0 - top - height, width, height],
        ),
    ];
    for (at, (filter, area)) in turns.into_iter().enumerate() {
        let turned = home.folder.path().join(format!("{at}.png"));
        ffmpeg(&["-i", path(&astronaut()), "-vf", filter], &turned);
        let faces = find(&turned).faces.faces;
        assert_eq!(faces.len(), 1, "{filter}");
        let likeness = same_face(&upright.print, &faces[0].print);
        assert!(likeness > 0.7, "{filter}: {likeness}");
        let overlap = faces[0].area.overlap(Area::new(area).unwrap());
        assert!(overlap > 0.8, "{filter}: {}", faces[0].area);
    }
}

/// A JPEG whose EXIF says how it lies.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
}

#[test]
fn all_of_a_crowd_are_found_and_alike() {
    let home = Home::new();
    let crowd = home.folder.path().join("crowd.png");
    let face = "crop=260:280:120:20,scale=130:140,split=200";
    let names: Vec<String> = (0..200).map(|at| format!("[f{at}]")).collect();
    let places: Vec<String> = (0..200)
        .map(|at| format!("{}_{}", at % 20 * 130, at / 20 * 140))
        .collect();
    let all = names.concat();
    let filter = format!(
        "{face}{all};{all}xstack=inputs=200:layout={}",
        places.join("|")
    );
    ffmpeg(
        &["-i", path(&astronaut()), "-filter_complex", &filter],
        &crowd,
    );
    let faces = find(&crowd).faces.faces;
    assert_eq!(faces.len(), 200);
    for face in &faces {
        let likeness = same_face(&faces[0].print, &face.print);
        assert!(likeness > SAME_FACE, "{}: {likeness}", face.area);
    }
}

#[test]
fn nothing_is_invented_where_nobody_is() {
    let home = Home::new();
    let noise = home.folder.path().join("noise.png");
    let random = "nullsrc=s=800x600,geq=random(1)*255:128:128";
    ffmpeg(&["-f", "lavfi", "-i", random], &noise);
    let blank = home.folder.path().join("blank.png");
    ffmpeg(&["-f", "lavfi", "-i", "color=white:s=1240x1754"], &blank);
    // A face of rings and a line, as children draw it.
    let sketch = home.folder.path().join("sketch.png");
    let rings = "color=white:s=400x400,geq=lum='if(lt(abs(hypot(X-200,Y-200)-150),4)+lt(abs(hypot(X-140,Y-150)-20),3)\
                 +lt(abs(hypot(X-260,Y-150)-20),3)+lt(abs(hypot(X-200,Y-200)-80),3)*gt(Y,240),0,255)':cb=128:cr=128";
    ffmpeg(&["-f", "lavfi", "-i", rings], &sketch);
    let repository = repository();
    let cat = repository.join("testdata/pictures/chelsea.png");
    let dot = repository.join("testdata/pictures/plain.bmp");
    let letter = sample_library().join("1944 letters/1944-05-30 Karl to Anna, page 1.jpg");
    let print = sample_library().join("Papers/The Siege of Vicksburg.jpg");
    for file in [&noise, &blank, &sketch, &cat, &dot, &letter, &print] {
        let finished = finding().run(["faces", path(file)]).expect_code(0);
        assert_eq!(finished.stdout, "", "{}", file.display());
        let said = &finished.stderr;
        assert!(said.contains("No face was found in it."), "{said}");
    }
}

#[test]
fn a_picture_that_is_very_wide_and_half_a_face_are_looked_at_as_far_as_they_go() {
    let home = Home::new();
    let wide = home.folder.path().join("wide.png");
    let filter = "crop=260:280:120:20,pad=20000:300:9000:0:gray";
    ffmpeg(&["-i", path(&astronaut()), "-vf", filter], &wide);
    let faces = find(&wide).faces.faces;
    assert_eq!(faces.len(), 1);
    let [left, ..] = faces[0].area.shares();
    assert!((0.45..0.47).contains(&left), "{left}");
    let half = home.folder.path().join("half.png");
    ffmpeg(
        &["-i", path(&astronaut()), "-vf", "crop=220:512:0:0"],
        &half,
    );
    assert!(find(&half).faces.faces.len() <= 1);
}

#[test]
fn what_has_no_picture_and_a_model_that_is_cut_short_are_refused_with_why() {
    let home = Home::new();
    let broken = home.folder.path().join("broken.jpg");
    fs::write(&broken, b"\xff\xd8\xff\xe0 nothing").unwrap();
    let sound = sample_library().join("Voices/Grandmother reads Austen 2.wav");
    let missing = home.folder.path().join("missing.png");
    for (file, why) in [
        (&broken, "broken.jpg"),
        (&sound, "Austen"),
        (&missing, "cannot be read"),
    ] {
        let refused = assert_refusal(&finding().run(["faces", path(file)]).expect_code(2));
        assert!(refused.contains(why), "{refused}");
    }
    let own = home.folder.path().join("models");
    for id in ["faceplugin", "onnxruntime"] {
        fs::create_dir_all(own.join(id)).unwrap();
        for file in fs::read_dir(models::folder().join(id)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), own.join(id).join(file.file_name())).unwrap();
        }
    }
    let detector = own.join("faceplugin/fr_detect.onnx");
    let bytes = fs::read(&detector).unwrap();
    fs::write(&detector, &bytes[..bytes.len() / 2]).unwrap();
    let finding = program().env("HEIRLOOM_MODELS", path(&own));
    let refused = assert_refusal(&finding.run(["faces", path(&astronaut())]).expect_code(2));
    assert!(refused.contains("faceplugin"), "{refused}");
    // As long as it should be, and other bytes: what runs it fails, and the reason is found.
    fs::write(&detector, vec![7; bytes.len()]).unwrap();
    let refused = assert_refusal(&finding.run(["faces", path(&astronaut())]).expect_code(2));
    assert!(refused.contains("damaged"), "{refused}");
}

#[test]
fn the_faces_of_a_library_are_found_once_and_leave_and_come_with_it() {
    let mut home = Home::new();
    home.heirloom = home
        .heirloom
        .env("HEIRLOOM_MODELS", path(&models::folder()));
    let root = home.folder.path().join("Pictures");
    fs::create_dir_all(&root).unwrap();
    fs::copy(astronaut(), root.join("Eileen.jpg")).unwrap();
    fs::copy(
        repository().join("testdata/pictures/chelsea.png"),
        root.join("cat.png"),
    )
    .unwrap();
    home.done(["scan", path(&root)]);
    let id = |home: &Home, name: &str| {
        let all = home.json(["asset", "list"]);
        let mut all = all["items"].as_array().unwrap().iter();
        let found = all.find(|asset| asset["name"] == name).unwrap();
        found["id"].as_str().unwrap().to_owned()
    };
    let faces = |home: &Home, name: &str| home.json(["asset", "faces", &id(home, name)]);
    let found = faces(&home, "Eileen.jpg");
    assert_eq!(found["faces"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(faces(&home, "cat.png")["faces"], json!([]));
    // What was looked at is not looked at again.
    let again = home.json(["run", "start", "understand"]);
    let steps: &Vec<Json> = again["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["step"] == "faces").unwrap();
    assert_eq!((&step["done"], &step["failed"]), (&json!(0), &json!(0)));
    let bag = home.folder.path().join("bag");
    home.done(["export", path(&bag)]);
    let other = Home::new();
    other.done(["import", path(&bag)]);
    let came = faces(&other, "Eileen.jpg");
    assert_eq!(came["faces"][0]["area"], found["faces"][0]["area"]);
}
