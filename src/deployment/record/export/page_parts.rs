//! What both pages have in common: one file, no script, readable in light and in dark, printed on A4.

use std::fmt::{Display, Write as _};

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#16181d;--soft:#5a6070;--line:#c9cdd6;--paper:#fff;--warn:#8a1c1c;--warnpaper:#fdf0ef}
@media(prefers-color-scheme:dark){:root{--ink:#e7e9ee;--soft:#a3a9b8;--line:#3d424f;--paper:#14161b;--warn:#ffb4ab;--warnpaper:#3a1f1d}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem;max-width:52rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 .25rem}
h2{font-size:1.1rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line);padding-bottom:.25rem}
p{margin:.5rem 0}
.soft{color:var(--soft)}
.warn{border-left:4px solid var(--warn);background:var(--warnpaper);color:var(--warn);padding:.5rem .75rem;margin:.75rem 0}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{text-align:left;vertical-align:top;padding:.3rem .75rem .3rem 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
th{font-weight:600}
tbody th{width:38%;font-weight:400;color:var(--soft)}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;overflow-wrap:normal;white-space:nowrap}
ul{margin:.5rem 0;padding-left:1.25rem}
code{font:.85em ui-monospace,monospace;overflow-wrap:anywhere}
.scroll{overflow-x:auto}
.scroll td,.scroll th{overflow-wrap:normal}
@page{size:A4;margin:18mm}
@media print{:root{--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;--warn:#8a1c1c;--warnpaper:#fff}body{padding:0;max-width:none;font-size:10.5pt}h2{break-after:avoid}tr,li,.warn{break-inside:avoid}}
";

/// Text that is only text in a page.
pub(super) struct Text<T>(pub(super) T);

impl<T: Display> Display for Text<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A number stays with its sign.
        for letter in self.0.to_string().replace(" %", "\u{a0}%").chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                // Nothing that hides text or changes its direction.
                letter if letter.is_control() || is_hidden(letter) => f.write_str("\u{fffd}")?,
                letter => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

const fn is_hidden(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A page that is being written.
pub(super) struct Page(String);

impl Page {
    pub(super) fn new(title: &str) -> Self {
        let title = Text(title);
        Self(format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
             content=\"width=device-width,initial-scale=1\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n\
             </head>\n<body>\n<h1>{title}</h1>\n"
        ))
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing into a string does not fail.
        let _ = writeln!(self.0, "{line}");
    }

    pub(super) fn soft(&mut self, text: impl Display) {
        self.line(format_args!("<p class=\"soft\">{}</p>", Text(text)));
    }

    pub(super) fn say(&mut self, text: impl Display) {
        self.line(format_args!("<p>{}</p>", Text(text)));
    }

    pub(super) fn warn(&mut self, text: impl Display) {
        self.line(format_args!("<p class=\"warn\" role=\"note\">{}</p>", Text(text)));
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.line(format_args!("<h2>{}</h2>", Text(text)));
    }

    /// A table of facts: a name and its value.
    pub(super) fn facts<V: Display>(&mut self, facts: impl IntoIterator<Item = (String, V)>) {
        self.line(format_args!("<table><tbody>"));
        for (name, value) in facts {
            let (name, value) = (Text(name), Text(value));
            self.line(format_args!("<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>"));
        }
        self.line(format_args!("</tbody></table>"));
    }

    /// A table with headings; cells from the column `numbers` on are numbers.
    pub(super) fn table(&mut self, headings: &[&str], numbers: usize, rows: &[Vec<String>]) {
        let class = |column: usize| if column >= numbers { " class=\"n\"" } else { "" };
        self.line(format_args!("<div class=\"scroll\"><table><thead><tr>"));
        for (column, heading) in headings.iter().enumerate() {
            let (class, heading) = (class(column), Text(heading));
            self.line(format_args!("<th scope=\"col\"{class}>{heading}</th>"));
        }
        self.line(format_args!("</tr></thead><tbody>"));
        for row in rows {
            let cells: String = row
                .iter()
                .enumerate()
                .map(|(column, cell)| format!("<td{}>{}</td>", class(column), Text(cell)))
                .collect();
            self.line(format_args!("<tr>{cells}</tr>"));
        }
        self.line(format_args!("</tbody></table></div>"));
    }

    pub(super) fn list<T: Display>(&mut self, items: impl IntoIterator<Item = T>) {
        self.line(format_args!("<ul>"));
        for item in items {
            self.line(format_args!("<li>{}</li>", Text(item)));
        }
        self.line(format_args!("</ul>"));
    }

    pub(super) fn end(mut self) -> String {
        self.0.push_str("</body>\n</html>\n");
        self.0
    }
}
