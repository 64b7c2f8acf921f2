//! In which order lines are read: columns from the left, in each from the top, what stands across them in between.

use super::{Block, Corners, Line, Page, Word};

/// How a page lies, as far as its lines say.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Lie {
    /// Its width to its height, as it is shown.
    pub aspect: f32,
    /// By how many degrees it has to be turned with the clock so that it can be read: 0, 90, 180 or 270.
    pub turn: u16,
    /// By how many degrees its lines then fall to the right.
    pub lean: f32,
}

/// A line with the rectangle around it on the upright page, in heights of the page.
#[derive(Debug, Clone)]
struct Placed {
    line: Line,
    left: f32,
    right: f32,
    /// The middle of its height.
    at: f32,
    height: f32,
}

/// A stretch that no line reaches into is the space between columns if it is so wide, in heights of lines.
const GUTTER: f32 = 0.8;
/// Columns have at least so many rows that stand beside one another.
const ROWS: usize = 3;
/// Lines of a column are so long, in their own heights, and fill so much of the room that they and those around them have:
/// cells of a table do not.
const LONG: f32 = 6.0;
const FILLED: f32 = 0.65;
/// So many lines above and below are around one. Where lines stand beside a picture, all of them are short.
const AROUND: usize = 3;
/// A paragraph ends where the next line is so much further away than usual, or its letters are so much larger.
const APART: f32 = 1.35;
const LARGER: f32 = 1.5;
/// Its first line may be set in by so many heights of a line.
const SET_IN: std::ops::Range<f32> = 0.8..6.0;

impl Page {
    /// Puts lines into the order in which they are read, and together to paragraphs.
    #[must_use]
    pub fn of_lines(page: Option<u32>, lie: Lie, lines: Vec<Line>) -> Self {
        let placed = lines.into_iter().filter_map(|line| place(line, lie));
        let mut blocks = Vec::new();
        read_columns(placed.collect(), &mut blocks);
        Self {
            page,
            turn: lie.turn,
            lean: lie.lean,
            blocks,
            ..Self::default()
        }
    }
}

/// Where a line is on the page once that is upright.
fn place(line: Line, lie: Lie) -> Option<Placed> {
    let Corners(corners) = line.corners?;
    let (sin, cos) = (-lie.lean.to_radians()).sin_cos();
    let corners = corners.map(|[x, y]| {
        let (x, y) = (x * lie.aspect, y);
        let (x, y) = match lie.turn {
            90 => (-y, x),
            180 => (-x, -y),
            270 => (y, -x),
            _ => (x, y),
        };
        [x * cos - y * sin, x * sin + y * cos]
    });
    let mean = |a: usize, b: usize, axis: usize| f32::midpoint(corners[a][axis], corners[b][axis]);
    let (left, right) = (mean(0, 3, 0), mean(1, 2, 0));
    let side =
        |a: usize, b: usize| (corners[a][0] - corners[b][0]).hypot(corners[a][1] - corners[b][1]);
    Some(Placed {
        line,
        left: left.min(right),
        right: left.max(right),
        at: f32::midpoint(mean(0, 1, 1), mean(2, 3, 1)),
        height: f32::midpoint(side(0, 3), side(1, 2)).max(f32::MIN_POSITIVE),
    })
}

/// Reads lines column by column, where there are columns.
fn read_columns(mut lines: Vec<Placed>, blocks: &mut Vec<Block>) {
    lines.sort_by(|a, b| a.at.total_cmp(&b.at));
    let Some(gutter) = find_gutter(&lines) else {
        return blocks.extend(paragraphs(rows(lines)));
    };
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let mut across = Vec::new();
    for line in lines {
        if line.left < gutter && line.right > gutter {
            // What stands across the columns ends both.
            flush(&mut before, &mut after, blocks);
            across.push(line);
            continue;
        }
        blocks.extend(paragraphs(rows(std::mem::take(&mut across))));
        let column = if line.right <= gutter {
            &mut before
        } else {
            &mut after
        };
        column.push(line);
    }
    flush(&mut before, &mut after, blocks);
    blocks.extend(paragraphs(rows(across)));
}

fn flush(before: &mut Vec<Placed>, after: &mut Vec<Placed>, blocks: &mut Vec<Block>) {
    for column in [before, after] {
        if !column.is_empty() {
            read_columns(std::mem::take(column), blocks);
        }
    }
}

/// Where the space between two columns is, if there are several.
fn find_gutter(lines: &[Placed]) -> Option<f32> {
    let height = middle(lines.iter().map(|line| line.height))?;
    let mut best: Option<(usize, f32)> = None;
    for line in lines {
        let at = line.right + height * GUTTER / 2.0;
        let worth = rows_beside(lines, at, height * GUTTER / 2.0 - f32::EPSILON);
        if worth >= ROWS && best.is_none_or(|(most, _)| worth > most) {
            best = Some((worth, at));
        }
    }
    best.map(|(_, at)| at)
}

/// How many rows two columns have beside one another, less what stands across within them; 0 where there are none.
fn rows_beside(lines: &[Placed], at: f32, half: f32) -> usize {
    let is_left = |line: &Placed| line.right <= at - half;
    let is_right = |line: &Placed| line.left >= at + half;
    let right: Vec<&Placed> = lines.iter().filter(|line| is_right(line)).collect();
    let is_beside = |line: &Placed| {
        let mut others = right.iter();
        is_left(line) && others.any(|other| (other.at - line.at).abs() < line.height)
    };
    let beside: Vec<&Placed> = lines.iter().filter(|line| is_beside(line)).collect();
    let (Some(first), Some(last)) = (beside.first(), beside.last()) else {
        return 0;
    };
    // What stands above and below the columns says nothing of them.
    let within = |line: &&Placed| line.at >= first.at - half && line.at <= last.at + half;
    let (left, right): (Vec<&Placed>, Vec<&Placed>) = (
        lines
            .iter()
            .filter(within)
            .filter(|line| is_left(line))
            .collect(),
        lines
            .iter()
            .filter(within)
            .filter(|line| is_right(line))
            .collect(),
    );
    let across = lines.iter().filter(within).count() - left.len() - right.len();
    match is_column(&left) && is_column(&right) {
        true => beside.len().saturating_sub(across),
        false => 0,
    }
}

/// Whether lines are those of a column, and no cells of a table.
fn is_column(lines: &[&Placed]) -> bool {
    let filled = (0..lines.len()).map(|at| {
        let around = &lines[at.saturating_sub(AROUND)..(at + AROUND + 1).min(lines.len())];
        let left = around.iter().map(|line| line.left).reduce(f32::min);
        let right = around.iter().map(|line| line.right).reduce(f32::max);
        let room = right.zip(left).map_or(0.0, |(right, left)| right - left);
        (lines[at].right - lines[at].left) / room.max(f32::MIN_POSITIVE)
    });
    let long = lines
        .iter()
        .map(|line| (line.right - line.left) / line.height);
    middle(long).is_some_and(|long| long >= LONG)
        && middle(filled).is_some_and(|filled| filled >= FILLED)
}

/// Lines whose parts stand beside one another become one, from the left.
fn rows(lines: Vec<Placed>) -> Vec<Placed> {
    let mut rows: Vec<Vec<Placed>> = Vec::new();
    for line in lines {
        let row = rows.iter_mut().rev().take(3).find(|row| {
            row.iter().all(|other| {
                let near = (other.at - line.at).abs() < 0.5 * other.height.min(line.height);
                near && (other.right <= line.left + line.height
                    || line.right <= other.left + line.height)
            })
        });
        match row {
            Some(row) => row.push(line),
            None => rows.push(vec![line]),
        }
    }
    rows.into_iter().filter_map(join).collect()
}

fn join(mut row: Vec<Placed>) -> Option<Placed> {
    row.sort_by(|a, b| a.left.total_cmp(&b.left));
    let (first, last) = (row.first()?, row.last()?);
    let (Corners(from), Corners(until)) = (first.line.corners?, last.line.corners?);
    let corners = Corners([from[0], until[1], until[2], from[3]]);
    let (left, right, at) = (first.left, last.right, first.at);
    let height = row.iter().map(|line| line.height).fold(0.0, f32::max);
    let words: Vec<Word> = row.into_iter().flat_map(|line| line.line.words).collect();
    Some(Placed {
        line: Line::of_words(words, corners)?,
        left,
        right,
        at,
        height,
    })
}

/// Puts rows together that belong to one paragraph.
fn paragraphs(rows: Vec<Placed>) -> Vec<Block> {
    let usual = middle(rows.windows(2).map(|pair| pair[1].at - pair[0].at)).unwrap_or_default();
    let mut blocks: Vec<Block> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| &rows[before]);
        let is_new = before.is_none_or(|before| {
            let away = row.at - before.at;
            let (small, large) = (row.height.min(before.height), row.height.max(before.height));
            let in_by = (row.left - before.left) / row.height;
            let after = rows.get(at + 1);
            let goes_back = after.is_some_and(|after| row.left - after.left > row.height / 2.0);
            // A single gap is its own measure.
            away > APART * usual.min(2.0 * large)
                || large > LARGER * small
                || (SET_IN.contains(&in_by) && goes_back)
        });
        if is_new {
            blocks.push(Block::default());
        }
        if let Some(block) = blocks.last_mut() {
            block.lines.push(row.line.clone());
        }
    }
    blocks
}

/// The middle one of these.
fn middle(values: impl Iterator<Item = f32>) -> Option<f32> {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIE: Lie = Lie {
        aspect: 1.0,
        turn: 0,
        lean: 0.0,
    };

    fn line(text: &str, left: f32, top: f32, right: f32, bottom: f32) -> Line {
        let corners = Corners([[left, top], [right, top], [right, bottom], [left, bottom]]);
        let words = text.split(' ').map(|text| Word {
            text: text.to_owned(),
            corners,
            probability: 1.0,
            otherwise: None,
        });
        Line::of_words(words.collect(), corners).unwrap()
    }

    /// A line of a page that has thirty.
    fn at(text: &str, left: f32, right: f32, row: f32) -> Line {
        line(text, left, row / 30.0, right, (row + 0.7) / 30.0)
    }

    fn texts(page: &Page) -> Vec<Vec<&str>> {
        page.blocks
            .iter()
            .map(|block| block.lines.iter().map(|line| line.text.as_str()).collect())
            .collect()
    }

    fn two_columns() -> Vec<Line> {
        let mut lines = vec![at("HEADING OVER BOTH", 0.2, 0.8, 0.0)];
        for row in 2_u8..8 {
            lines.push(at(&format!("right {row}"), 0.55, 0.95, row.into()));
            lines.push(at(&format!("left {row}"), 0.05, 0.45, row.into()));
        }
        lines.push(at("A line at the foot that stands across", 0.1, 0.9, 9.0));
        lines
    }

    #[test]
    fn columns_are_read_one_after_the_other() {
        let page = Page::of_lines(None, LIE, two_columns());
        let text = page.to_text();
        let order = [
            "HEADING", "left 2", "left 7", "right 2", "right 7", "A line",
        ];
        let found: Vec<_> = order
            .iter()
            .map(|words| text.find(words).unwrap())
            .collect();
        assert!(found.is_sorted(), "{text}");
    }

    #[test]
    fn columns_stay_columns_where_their_lines_stand_beside_a_picture() {
        let mut lines = Vec::new();
        for row in 0_u8..24 {
            // A picture between the columns is beside most of their lines.
            let is_beside = (3..20).contains(&row);
            let (until, from) = if is_beside {
                (0.22, 0.78)
            } else {
                (0.47, 0.53)
            };
            lines.push(at(&format!("left {row:02}"), 0.02, until, row.into()));
            lines.push(at(&format!("right {row:02}"), from, 0.98, row.into()));
        }
        let text = Page::of_lines(None, LIE, lines).to_text();
        let order = ["left 00", "left 12", "left 23", "right 00", "right 12"];
        let found: Vec<_> = order
            .iter()
            .map(|words| text.find(words).unwrap())
            .collect();
        assert!(found.is_sorted(), "{text}");
    }

    #[test]
    fn a_page_that_lies_on_its_side_or_head_is_read_the_same() {
        let upright = Page::of_lines(None, LIE, two_columns()).to_text();
        for (turn, back) in [
            (90, (|[x, y]| [y, 1.0 - x]) as fn([f32; 2]) -> [f32; 2]),
            (180, |[x, y]| [1.0 - x, 1.0 - y]),
            (270, |[x, y]| [1.0 - y, x]),
        ] {
            let mut lines = two_columns();
            for line in &mut lines {
                line.corners = line
                    .corners
                    .map(|Corners(corners)| Corners(corners.map(back)));
            }
            let page = Page::of_lines(None, Lie { turn, ..LIE }, lines);
            assert_eq!(page.to_text(), upright, "{turn}");
            assert_eq!(page.turn, turn);
        }
    }

    #[test]
    fn a_table_is_read_row_by_row() {
        let mut lines = Vec::new();
        for row in 0_u8..6 {
            lines.push(at(&format!("{row} Chapter"), 0.1, 0.3, row.into()));
            lines.push(at(&row.to_string(), 0.85, 0.88, row.into()));
        }
        let page = Page::of_lines(None, LIE, lines);
        assert_eq!(page.blocks.len(), 1);
        assert_eq!(page.blocks[0].lines[3].text, "3 Chapter 3");
    }

    #[test]
    fn a_paragraph_ends_at_a_gap_and_begins_set_in() {
        let lines = vec![
            at("one", 0.1, 0.9, 0.0),
            at("two", 0.1, 0.9, 1.0),
            at("three", 0.1, 0.5, 2.0),
            at("four", 0.15, 0.9, 3.0),
            at("five", 0.1, 0.9, 4.0),
            at("six", 0.1, 0.9, 6.0),
        ];
        let page = Page::of_lines(Some(1), LIE, lines);
        let wanted = vec![
            vec!["one", "two", "three"],
            vec!["four", "five"],
            vec!["six"],
        ];
        assert_eq!(texts(&page), wanted);
    }

    #[test]
    fn lines_that_lean_are_put_together_as_they_were_written() {
        // Half a line lower at the right edge than at the left.
        let lean = (0.02_f32 / 0.8).atan().to_degrees();
        let lines = vec![
            line("second right", 0.5, 0.142, 0.9, 0.172),
            line("first left", 0.05, 0.10, 0.45, 0.13),
            line("first right", 0.5, 0.112, 0.9, 0.142),
            line("second left", 0.05, 0.13, 0.45, 0.16),
        ];
        let page = Page::of_lines(None, Lie { lean, ..LIE }, lines);
        let lines: Vec<&str> = page.lines().map(|line| line.text.as_str()).collect();
        assert_eq!(
            lines,
            ["first left first right", "second left second right"]
        );
    }

    #[test]
    fn an_empty_page_is_one() {
        assert!(Page::of_lines(None, LIE, Vec::new()).blocks.is_empty());
    }
}
