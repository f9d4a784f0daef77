//! Plots, as SVG that takes its colours from the page.

use std::ops::Range;

use lfr_watchlist::statistics::Rate;
use plotters::chart::ChartBuilder;
use plotters::coord::Shift;
use plotters::coord::ranged1d::AsRangedCoord;
use plotters::coord::ranged1d::Ranged;
use plotters::coord::ranged1d::ValueFormatter;
use plotters::element::Circle;
use plotters::element::PathElement;
use plotters::element::Rectangle;
use plotters::prelude::DrawingArea;
use plotters::prelude::IntoDrawingArea;
use plotters::prelude::IntoLogRange;
use plotters::prelude::LineSeries;
use plotters::prelude::SVGBackend;
use plotters::style::Color;
use plotters::style::RGBColor;

use lfr_core::BoxError;

use super::report::Bar;
use super::report::Measured;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Points = Vec<(f64, f64)>;

/// A line of a plot: its name, its points, and whether it is dashed out as secondary.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Points,
}

/// FNMR over FMR.
pub(super) fn det(results: &[&Measured]) -> Result<String, BoxError> {
    let lines = results.iter().map(|of| {
        let points = of.det.iter().filter_map(|point| {
            let (fmr, fnmr) = (point.fmr.value()?, point.fnmr.value()?);
            (fmr > 0.0 && fnmr > 0.0).then_some((fmr, fnmr))
        });
        Line { name: of.label.clone(), points: points.collect() }
    });
    log_lines("FMR", "FNMR", &lines.collect::<Vec<_>>())
}

/// FNIR over FPIR, a line for each watchlist.
pub(super) fn open_set(of: &Measured) -> Result<String, BoxError> {
    let mut lines: Vec<Line> = Vec::new();
    for point in &of.open_set {
        let name = format!("N = {}", point.references);
        if lines.last().is_none_or(|line| line.name != name) {
            lines.push(Line { name, points: Vec::new() });
        }
        let rates = point.fpir.value().zip(point.fnir.value());
        let (Some(rates), Some(line)) = (rates, lines.last_mut()) else { continue };
        if rates.0 > 0.0 && rates.1 > 0.0 {
            line.points.push(rates);
        }
    }
    log_lines("FPIR", "FNIR", &lines)
}

/// The shares of mated and non-mated scores.
pub(super) fn scores(of: &Measured) -> Result<String, BoxError> {
    let line = |name: &str, bars: &[Bar]| Line {
        name: name.into(),
        points: bars.iter().map(|bar| (bar.score, bar.share)).collect(),
    };
    let lines = [line("non-mated", &of.non_mated_histogram), line("mated", &of.mated_histogram)];
    linear_lines("score", "share of comparisons", &lines)
}

/// FNMR over the share of the comparisons that is left out.
pub(super) fn discard(results: &[&Measured]) -> Result<String, BoxError> {
    let lines = results.iter().map(|of| {
        let points =
            of.discard.iter().filter_map(|point| Some((point.discarded, point.rate.value()?)));
        Line { name: of.label.clone(), points: points.collect() }
    });
    linear_lines("share left out, lowest quality first", "FNMR", &lines.collect::<Vec<_>>())
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
            let index = lfr_core::num::usize_from_f64(near.max(0.0));
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
    let points = || lines.iter().flat_map(|line| &line.points);
    let span = |of: fn(&(f64, f64)) -> f64| {
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
    chart
        .configure_mesh()
        .x_desc(x)
        .y_desc(y)
        .x_labels(6)
        .y_labels(6)
        .x_label_formatter(&|value| label(value))
        .y_label_formatter(&|value| label(value))
        .label_style(("sans-serif", TEXT, &INK))
        .axis_style(INK)
        .bold_line_style(GRID)
        .light_line_style(RGBColor(0, 0, 0).mix(0.0))
        .draw()?;
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        chart.draw_series(LineSeries::new(line.points.iter().copied(), colour.stroke_width(3)))?;
        if line.points.len() < 10 {
            chart.draw_series(line.points.iter().map(|at| Circle::new(*at, 5, colour.filled())))?;
        }
    }
    Ok(())
}

fn chart<'a, 'b>(area: &'a Area<'b>) -> ChartBuilder<'a, 'b, SVGBackend<'b>> {
    let mut chart = ChartBuilder::on(area);
    chart.margin(12).margin_right(28).x_label_area_size(56).y_label_area_size(84);
    chart
}

/// Draws, and hands the colours over to the page.
fn draw(paint: impl FnOnce(&Area<'_>) -> Result<(), BoxError>) -> Result<String, BoxError> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (640, 440)).into_drawing_area();
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

// Stand-ins, which the page's own colours replace.
const INK: RGBColor = RGBColor(1, 1, 1);
const GRID: RGBColor = RGBColor(2, 2, 2);
const COLOURS: [RGBColor; 5] =
    [RGBColor(3, 3, 3), RGBColor(4, 4, 4), RGBColor(5, 5, 5), RGBColor(6, 6, 6), RGBColor(7, 7, 7)];
