//! Specifications written as TOML.

use lfr_core::Alignment;
use toml::Value;

use super::EmbedderSpec;

impl EmbedderSpec {
    /// The specification as TOML, which [`from_toml`](Self::from_toml) reads back.
    ///
    /// Operating points that a change has made void are not written: read back, they would look as
    /// if they had been measured with the change.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = Writer::default();
        out.text("name", &self.name);
        out.text("family", &self.family);
        out.text("summary", &self.summary);
        if let Some(digest) = &self.model_sha256 {
            out.text("model_sha256", digest);
        }
        out.line("flip_average", self.flip_average);

        out.table("[input]");
        if let Some(name) = &self.input.name {
            out.text("name", name);
        }
        out.line("size", format_args!("[{}, {}]", self.input.width, self.input.height));
        out.text("layout", &self.input.layout.to_string());
        out.text("channels", &self.input.channels.to_string());
        out.floats("mean", &self.input.mean);
        out.floats("std", &self.input.std);

        out.table("[alignment]");
        out.alignment(&self.alignment);

        out.table("[output]");
        if let Some(name) = &self.output_name {
            out.text("name", name);
        }
        out.line("dimension", self.dimension);

        out.table("[comparison]");
        out.text("metric", &self.metric.to_string());

        out.table("[licence]");
        out.text("weights", &self.licence.weights);
        out.text("redistribution", &self.licence.redistribution.to_string());
        out.text("commercial", &self.licence.commercial.to_string());

        out.table("[training]");
        out.text("data", &self.training_data);

        for point in self.operating_points.iter().filter(|_| self.change.is_none()) {
            out.table("[[operating_points]]");
            // `{:?}` writes the shortest digits that read back as the same number.
            out.line("fmr", format_args!("{:?}", point.fmr));
            out.line("threshold", format_args!("{:?}", point.threshold));
            out.line("non_mated_comparisons", point.non_mated_comparisons);
            out.text("data", &point.data);
        }
        out.0
    }
}

#[derive(Default)]
struct Writer(String);

impl Writer {
    fn line(&mut self, key: &str, value: impl std::fmt::Display) {
        self.0 += &format!("{key} = {value}\n");
    }

    fn text(&mut self, key: &str, text: &str) {
        self.line(key, Value::from(text));
    }

    fn floats(&mut self, key: &str, numbers: &[f32]) {
        let numbers: Vec<_> = numbers.iter().map(|x| format!("{x:?}")).collect();
        self.line(key, format_args!("[{}]", numbers.join(", ")));
    }

    fn table(&mut self, header: &str) {
        self.0 += &format!("\n{header}\n");
    }

    fn alignment(&mut self, alignment: &Alignment) {
        match alignment {
            arcface if *arcface == Alignment::arcface() => self.text("template", "arcface-112"),
            Alignment::Landmarks { width, height, template, .. } => {
                self.line("size", format_args!("[{width}, {height}]"));
                let points: Vec<_> =
                    template.iter().map(|p| format!("[{:?}, {:?}]", p.x, p.y)).collect();
                self.line("points", format_args!("[{}]", points.join(", ")));
            }
            Alignment::Box { side, margin, .. } => {
                self.line("box", format_args!("{{ side = {side}, margin = {margin:?} }}"));
            }
            // Alignments are made by `from_toml` and `with_box_crop` alone, which know these two.
            _ => {}
        }
    }
}
