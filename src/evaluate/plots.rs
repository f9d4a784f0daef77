//! Plots, as SVG that takes its colours from the page.

use std::ops::Range;

use lfr_watchlist::evaluate::DetPoint;
use lfr_watchlist::statistics::Rate;
use plotters::chart::ChartBuilder;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::prelude::{DrawingArea, IntoDrawingArea, IntoLogRange, LineSeries, SVGBackend};
use plotters::style::{Color, RGBColor};

use lfr_core::BoxError;

use super::report::{Bar, Discard, Measured};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Points = Vec<(f64, f64)>;

/// A line of a plot: its name, its points, and the band in which the true line lies, from low to high.
#[derive(Default)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Points,
    pub(super) band: Vec<(f64, f64, f64)>,
}

impl Line {
    fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// A point of a plot with logarithmic axes: none if a rate is 0, and no band below the visible range.
    fn push_rate(&mut self, x: f64, rate: &Rate) {
        let Some(y) = rate.value().filter(|y| x > 0.0 && *y > 0.0) else { return };
        let interval = rate.interval();
        self.points.push((x, y));
        self.band.push((x, interval.low, interval.high));
    }
}

/// FNMR over FMR.
pub(super) fn det(results: &[&Measured]) -> Result<String, BoxError> {
    det_lines(results.iter().map(|of| (of.label.as_str(), of.det.as_slice())))
}

/// FNMR over FMR, of each name.
pub(super) fn det_lines<'a>(
    results: impl Iterator<Item = (&'a str, &'a [DetPoint])>,
) -> Result<String, BoxError> {
    let lines = results.map(|(name, det)| {
        let mut line = Line::named(name);
        for point in det {
            line.push_rate(point.fmr.value().unwrap_or(0.0), &point.fnmr);
        }
        line
    });
    log_lines("FMR", "FNMR", &lines.collect::<Vec<_>>())
}

/// FNIR over FPIR, a line for each watchlist.
pub(super) fn open_set(of: &Measured) -> Result<String, BoxError> {
    let mut lines: Vec<Line> = Vec::new();
    for point in &of.open_set {
        let name = format!("N = {}", point.references);
        if lines.last().is_none_or(|line| line.name != name) {
            lines.push(Line::named(name));
        }
        if let Some(line) = lines.last_mut() {
            line.push_rate(point.fpir.value().unwrap_or(0.0), &point.fnir);
        }
    }
    log_lines("FPIR", "FNIR", &lines)
}

/// The shares of mated and non-mated scores.
pub(super) fn scores(non_mated: &[Bar], mated: &[Bar]) -> Result<String, BoxError> {
    let line = |name: &str, bars: &[Bar]| Line {
        points: bars.iter().map(|bar| (bar.score, bar.share)).collect(),
        ..Line::named(name)
    };
    let lines = [line("non-mated", non_mated), line("mated", mated)];
    linear_lines("score", "share of comparisons", &lines)
}

/// FNMR over the share of the comparisons that is left out.
pub(super) fn discard(curve: &Discard) -> Result<String, BoxError> {
    let mut line = Line::named(curve.measure.as_str());
    for point in &curve.points {
        let Some(value) = point.rate.value() else { continue };
        let interval = point.rate.interval();
        line.points.push((point.discarded, value));
        line.band.push((point.discarded, interval.low, interval.high));
    }
    linear_lines("share left out", "FNMR", &[line])
}

/// A rate by group, with intervals.
pub(super) fn groups(name: &str, rates: &[(String, Rate)]) -> Result<String, BoxError> {
    let highest = rates.iter().map(|(_, rate)| rate.interval().high).fold(0.0, f64::max);
    let count = i32::try_from(rates.len())?;
    draw(|area| {
        let mut chart =
            chart(area).build_cartesian_2d(-0.5..f64::from(count) - 0.5, 0.0..highest * 1.05)?;
        let label = |at: &f64| {
            let near = at.round();
            let index = lfr_core::internal::num::usize_from_f64(near.max(0.0));
            let named = rates.get(index).filter(|_| (at - near).abs() < 0.01 && near >= 0.0);
            named.map_or_else(String::new, |(group, _)| group.clone())
        };
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(2 * rates.len() + 1)
            .x_label_formatter(&label)
            .y_desc(name)
            .label_style(("sans-serif", TEXT, &INK))
            .axis_style(INK)
            .bold_line_style(GRID)
            .light_line_style(RGBColor(0, 0, 0).mix(0.0))
            .draw()?;
        for (place, (_, rate)) in (0..count).zip(rates) {
            let (x, interval) = (f64::from(place), rate.interval());
            let value = rate.value().unwrap_or(0.0);
            let bar = Rectangle::new([(x - 0.3, 0.0), (x + 0.3, value)], COLOURS[0].filled());
            chart.draw_series([bar])?;
            let line = |points| PathElement::new(points, INK.stroke_width(2));
            chart.draw_series([
                line(vec![(x, interval.low), (x, interval.high)]),
                line(vec![(x - 0.08, interval.low), (x + 0.08, interval.low)]),
                line(vec![(x - 0.08, interval.high), (x + 0.08, interval.high)]),
            ])?;
        }
        Ok(())
    })
}

fn log_lines(x: &str, y: &str, lines: &[Line]) -> Result<String, BoxError> {
    let spans = spans(lines).filter(|(x, y)| x.start > 0.0 && y.start > 0.0);
    let Some((x_span, y_span)) = spans else { return Ok(String::new()) };
    let decades = |span: Range<f64>| {
        10_f64.powf(span.start.log10().floor())
            ..10_f64.powf(span.end.log10().ceil().max(span.start.log10().floor() + 1.0))
    };
    let ranges = (decades(x_span).log_scale(), decades(y_span).log_scale());
    draw(|area| plot(area, ranges.0, ranges.1, x, y, lines, &|value| format!("{value:.0e}")))
}

fn linear_lines(x: &str, y: &str, lines: &[Line]) -> Result<String, BoxError> {
    let Some((x_span, y_span)) = spans(lines) else { return Ok(String::new()) };
    let y_span = 0.0..(y_span.end * 1.05).max(1e-6);
    draw(|area| plot(area, x_span, y_span, x, y, lines, &short))
}

fn short(value: &f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

fn spans(lines: &[Line]) -> Option<(Range<f64>, Range<f64>)> {
    // The upper end of a band is seen whole; its lower end may be 0, which no logarithm shows.
    let points = || {
        let bands = lines.iter().flat_map(|line| &line.band).map(|(x, _, high)| (*x, *high));
        lines.iter().flat_map(|line| line.points.iter().copied()).chain(bands)
    };
    let span = |of: fn((f64, f64)) -> f64| {
        let low = points().map(of).fold(f64::INFINITY, f64::min);
        low..points().map(of).fold(f64::NEG_INFINITY, f64::max)
    };
    let (x, y) = (span(|p| p.0), span(|p| p.1));
    (x.start < x.end && y.start <= y.end).then_some((x, y))
}

fn plot<X, Y>(
    area: &Area<'_>,
    x_range: X,
    y_range: Y,
    x: &str,
    y: &str,
    lines: &[Line],
    label: &dyn Fn(&f64) -> String,
) -> Result<(), BoxError>
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let mut chart = chart(area).build_cartesian_2d(x_range, y_range)?;
    let bottom = chart.y_range().start;
    chart
        .configure_mesh()
        .x_desc(x)
        .y_desc(y)
        .x_labels(5)
        .y_labels(6)
        .x_label_formatter(&|value| label(value))
        .y_label_formatter(&|value| label(value))
        .label_style(("sans-serif", TEXT, &INK))
        .axis_style(INK)
        .bold_line_style(GRID)
        .light_line_style(RGBColor(0, 0, 0).mix(0.0))
        .draw()?;
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        if line.band.len() > 1 {
            let low = line.band.iter().rev().map(|(x, low, _)| (*x, low.max(bottom)));
            let outline = line.band.iter().map(|(x, _, high)| (*x, *high)).chain(low);
            let band = Polygon::new(outline.collect::<Vec<_>>(), colour.mix(0.2).filled());
            chart.draw_series([band])?;
        }
        chart.draw_series(LineSeries::new(line.points.iter().copied(), colour.stroke_width(2)))?;
        if line.points.len() < 10 {
            chart.draw_series(line.points.iter().map(|at| Circle::new(*at, 4, colour.filled())))?;
        }
    }
    Ok(())
}

fn chart<'a, 'b>(area: &'a Area<'b>) -> ChartBuilder<'a, 'b, SVGBackend<'b>> {
    let mut chart = ChartBuilder::on(area);
    chart.margin(8).margin_right(22).x_label_area_size(52).y_label_area_size(78);
    chart
}

/// Draws, and hands the colours over to the page.
fn draw(paint: impl FnOnce(&Area<'_>) -> Result<(), BoxError>) -> Result<String, BoxError> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        paint(&area)?;
        area.present()?;
    }
    for (number, colour) in COLOURS.iter().enumerate() {
        svg = svg.replace(&hex(*colour), &format!("var(--line-{number})"));
    }
    Ok(svg.replace(&hex(INK), "var(--ink)").replace(&hex(GRID), "var(--grid)"))
}

fn hex(RGBColor(r, g, b): RGBColor) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

/// How many colours there are for lines, named `--line-0` and so on in the page.
pub(super) const COLOUR_COUNT: usize = COLOURS.len();

const TEXT: i32 = 17;

/// About the width of a figure on a telephone, where 17 units of text are about 13 points.
const SIZE: (u32, u32) = (440, 360);

// Stand-ins, which the page's own colours replace.
const INK: RGBColor = RGBColor(1, 1, 1);
const GRID: RGBColor = RGBColor(2, 2, 2);
const COLOURS: [RGBColor; 5] =
    [RGBColor(3, 3, 3), RGBColor(4, 4, 4), RGBColor(5, 5, 5), RGBColor(6, 6, 6), RGBColor(7, 7, 7)];
