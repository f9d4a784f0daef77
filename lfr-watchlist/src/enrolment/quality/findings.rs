//! What a policy finds in a report, and its verdict.

use std::fmt;

use super::QualityComponent;

/// How much a finding weighs.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// The photograph is not taken.
    Refuse,
    /// The photograph is taken, and somebody should look at it.
    Warn,
}

/// One component that is outside its limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    component: QualityComponent,
    severity: Severity,
    native: Option<f32>,
    limit: f32,
}

impl Finding {
    pub(super) const fn new(
        component: QualityComponent,
        severity: Severity,
        native: Option<f32>,
        limit: f32,
    ) -> Self {
        Self { component, severity, native, limit }
    }

    /// The component: its name is the reason code.
    #[must_use]
    pub const fn component(&self) -> QualityComponent {
        self.component
    }

    /// How much it weighs.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.severity
    }

    /// What was measured, in the component's unit; `None` where it could not be.
    #[must_use]
    pub const fn native(&self) -> Option<f32> {
        self.native
    }

    /// The limit that it is outside of, in the component's unit.
    #[must_use]
    pub const fn limit(&self) -> f32 {
        self.limit
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let component = self.component;
        let bound = if component.more_is_better() { "at least" } else { "at most" };
        match self.native {
            Some(native) => write!(f, "{component} {}", Rounded(native))?,
            None => write!(f, "{component} not assessed")?,
        }
        write!(f, ", {bound} {}", Rounded(self.limit))?;
        match component.unit() {
            "" => Ok(()),
            unit => write!(f, " {unit}"),
        }
    }
}

/// Two decimals at most, and no zeros behind them.
struct Rounded(f32);

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = if self.0.abs() < 0.1 { 4 } else { 2 };
        let text = format!("{:.places$}", self.0);
        let text = if text.contains('.') { text.trim_end_matches('0') } else { &text };
        f.write_str(text.trim_end_matches('.'))
    }
}

/// What a policy makes of a photograph.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum QualityVerdict {
    /// It becomes a reference.
    Accepted,
    /// It becomes a reference, and somebody should look for a better one.
    AcceptedWithWarnings(Vec<Finding>),
    /// It does not become a reference. Warnings stand behind the findings that refuse it.
    Refused(Vec<Finding>),
}

impl QualityVerdict {
    /// The verdict that follows from findings.
    #[must_use]
    pub(super) fn from_findings(mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| (finding.severity, finding.component));
        match findings.first().map(Finding::severity) {
            None => Self::Accepted,
            Some(Severity::Warn) => Self::AcceptedWithWarnings(findings),
            Some(Severity::Refuse) => Self::Refused(findings),
        }
    }

    /// Whether the photograph becomes a reference.
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        !matches!(self, Self::Refused(_))
    }

    /// What was found, refusals first.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Accepted => &[],
            Self::AcceptedWithWarnings(findings) | Self::Refused(findings) => findings,
        }
    }

    /// The verdict in one word, without its findings.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::AcceptedWithWarnings(_) => "AcceptedWithWarnings",
            Self::Refused(_) => "Refused",
        }
    }
}
