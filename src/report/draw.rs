//! Draw: a picture as SVG that stands in a page by itself: no script, no style, no font, readable on light and on dark.
//!
//! Text has the colour of the page around it. Labels are the text that they are: plotters escapes them.

use super::changes::number;
use super::picture::{Picture, Shape};
use crate::render::escape;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// In place of the colour of the page's text.
const INK: RGBColor = RGBColor(1, 2, 3);

/// Colours that stand out from white and from black, for people who do not tell red from green as well.
const COLORS: [RGBColor; 7] = [
    RGBColor(74, 134, 216),
    RGBColor(58, 158, 110),
    RGBColor(222, 170, 50),
    RGBColor(214, 84, 64),
    RGBColor(142, 107, 191),
    RGBColor(120, 170, 200),
    RGBColor(140, 140, 150),
];

const WIDTH: u32 = 760;
const FONT: i32 = 16;
/// Height of a horizontal bar and the gap below it.
const BAR: i32 = 22;
/// Height of the line that names the series.
const LEGEND: i32 = 26;
/// Longer labels are cut.
const LONGEST_LABEL: usize = 40;
/// Width of a letter, about: nothing here knows the font of the reader.
const LETTER: i32 = 7;

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn<'a> = Result<(), Box<dyn std::error::Error + 'a>>;

/// Returns the picture as an element of a page; none when it cannot be drawn.
#[must_use]
pub(super) fn svg(picture: &Picture) -> Option<String> {
    let rows = i32::try_from(picture.labels.len()).ok()?;
    let height = match picture.shape {
        Shape::Columns => 280,
        Shape::Bars => rows * BAR + 8,
        Shape::Shares => rows * BAR + 8 + LEGEND,
    };
    let mut text = String::new();
    {
        let size = (WIDTH, u32::try_from(height).ok()?);
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        match picture.shape {
            Shape::Columns => columns(picture, &area),
            Shape::Bars => bars(picture, &area),
            Shape::Shares => shares(picture, &area),
        }
        .ok()?;
        area.present().ok()?;
    }
    let text = text.replace("\"#010203\"", "\"currentColor\"");
    Some(text.trim().to_owned())
}

fn style(pos: Pos) -> TextStyle<'static> {
    ("sans-serif", FONT).into_font().color(&INK).pos(pos)
}

fn left() -> TextStyle<'static> {
    style(Pos::new(HPos::Left, VPos::Center))
}

fn color(series: usize) -> RGBColor {
    COLORS.get(series % COLORS.len()).copied().unwrap_or(INK)
}

fn label(text: &str) -> String {
    // Characters that no page may have.
    let text = escape::terminal(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
    if text.chars().count() <= LONGEST_LABEL {
        return text;
    }
    let cut: String = text.chars().take(LONGEST_LABEL - 1).collect();
    format!("{cut}\u{2026}")
}

fn width(text: &str) -> i32 {
    i32::try_from(text.chars().count()).unwrap_or(i32::MAX / LETTER) * LETTER
}

/// Names of the series with their colours, in a line at this height.
fn legend<'a>(picture: &Picture, area: &Area<'a>, y: i32) -> Drawn<'a> {
    let mut x = 60;
    for (i, (name, _)) in picture.series.iter().enumerate() {
        let square = [(x, y - 5), (x + 10, y + 5)];
        area.draw(&Rectangle::new(square, color(i).filled()))?;
        area.draw(&Text::new(label(name), (x + 15, y), left()))?;
        x += 15 + width(name) + 20;
    }
    Ok(())
}

fn columns<'a>(picture: &Picture, area: &Area<'a>) -> Drawn<'a> {
    legend(picture, area, LEGEND / 2)?;
    let (_, below) = area.split_vertically(LEGEND);
    let places = picture.labels.len();
    let numbers = picture.series.iter().flat_map(|(_, numbers)| numbers);
    let most = numbers.copied().fold(1.0, f64::max);
    #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
    let (end, step) = (places as f64, (places as f64 / 26.0).ceil().max(1.0));
    let mut chart = ChartBuilder::on(&below)
        .margin_right(10)
        .x_label_area_size(26)
        .y_label_area_size(58)
        .build_cartesian_2d(0.0..end, 0.0..most * 1.05)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .y_labels(6)
        .y_label_formatter(&|n| number(*n))
        .light_line_style(TRANSPARENT)
        .bold_line_style(INK.mix(0.15))
        .axis_style(INK.mix(0.4))
        .label_style(style(Pos::new(HPos::Right, VPos::Center)))
        .draw()?;
    #[expect(clippy::cast_precision_loss, reason = "a few")]
    let thick = 0.8 / picture.series.len().max(1) as f64;
    for (i, (_, numbers)) in picture.series.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
        let columns = numbers.iter().enumerate().map(|(place, n)| {
            let x = place as f64 + 0.1 + thick * i as f64;
            Rectangle::new([(x, 0.0), (x + thick, *n)], color(i).filled())
        });
        chart.draw_series(columns)?;
    }
    let below = style(Pos::new(HPos::Center, VPos::Top));
    for (place, text) in picture.labels.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
        let at = place as f64;
        if at % step == 0.0 {
            let (x, y) = chart.backend_coord(&(at + 0.5, 0.0));
            area.draw(&Text::new(label(text), (x, y + 6), below.clone()))?;
        }
    }
    Ok(())
}

/// Returns how much room the labels take at the left.
fn margin(picture: &Picture) -> i32 {
    let longest = picture.labels.iter().map(|text| width(&label(text))).max();
    longest.unwrap_or(0) + 16
}

fn bars<'a>(picture: &Picture, area: &Area<'a>) -> Drawn<'a> {
    let Some((_, numbers)) = picture.series.first() else {
        return Ok(());
    };
    let start = margin(picture);
    let most = numbers.iter().copied().fold(1.0, f64::max);
    let room = f64::from((i32::try_from(WIDTH)? - start - 90).max(60));
    let mut y = 4;
    for (text, n) in picture.labels.iter().zip(numbers) {
        label_at(text, start, y, area)?;
        let end = start + pixels(n / most * room);
        area.draw(&Rectangle::new(
            [(start, y), (end, y + BAR - 6)],
            color(0).filled(),
        ))?;
        let middle = (end + 6, y + (BAR - 6) / 2);
        area.draw(&Text::new(number(*n), middle, left()))?;
        y += BAR;
    }
    Ok(())
}

fn shares<'a>(picture: &Picture, area: &Area<'a>) -> Drawn<'a> {
    let start = margin(picture);
    let room = f64::from((i32::try_from(WIDTH)? - start - 10).max(60));
    legend(picture, area, LEGEND / 2)?;
    let mut y = LEGEND + 4;
    for (place, text) in picture.labels.iter().enumerate() {
        label_at(text, start, y, area)?;
        let of = |numbers: &Vec<f64>| numbers.get(place).copied().unwrap_or(0.0);
        let all: f64 = picture.series.iter().map(|(_, numbers)| of(numbers)).sum();
        let mut sum = 0.0;
        for (i, (_, numbers)) in picture.series.iter().enumerate() {
            let from = start + pixels(sum / all.max(1.0) * room);
            sum += of(numbers);
            let to = start + pixels(sum / all.max(1.0) * room);
            if to > from {
                area.draw(&Rectangle::new(
                    [(from, y), (to, y + BAR - 6)],
                    color(i).filled(),
                ))?;
            }
        }
        y += BAR;
    }
    Ok(())
}

fn label_at<'a>(text: &str, end: i32, y: i32, area: &Area<'a>) -> Drawn<'a> {
    let right = style(Pos::new(HPos::Right, VPos::Center));
    let place = (end - 8, y + (BAR - 6) / 2);
    area.draw(&Text::new(label(text), place, right))?;
    Ok(())
}

#[expect(clippy::cast_possible_truncation, reason = "within the picture")]
fn pixels(length: f64) -> i32 {
    length.clamp(0.0, f64::from(WIDTH)).round() as i32
}
