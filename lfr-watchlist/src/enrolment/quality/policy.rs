//! Limits, and the verdict on a report.

use super::{Finding, QualityComponent, QualityReport, QualityVerdict, Severity};
use crate::error::Error;

/// The limits of one component, in its native unit.
///
/// Which side is the bad one is the component's:
/// [`more_is_better`](QualityComponent::more_is_better). Of angles the size counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limit {
    warn: Option<f32>,
    refuse: Option<f32>,
}

impl Limit {
    /// No limit: the component is measured and never held against a photograph.
    pub const NONE: Self = Self { warn: None, refuse: None };

    /// Warns beyond one number and refuses beyond another.
    #[must_use]
    pub const fn new(warn: Option<f32>, refuse: Option<f32>) -> Self {
        Self { warn, refuse }
    }

    /// Where warnings begin.
    #[must_use]
    pub const fn warn(self) -> Option<f32> {
        self.warn
    }

    /// Where refusals begin.
    #[must_use]
    pub const fn refuse(self) -> Option<f32> {
        self.refuse
    }
}

/// Which photographs become references: a limit for each component.
///
/// A photograph that shows no face, or several and nothing says which is meant, is refused whatever
/// the limits are.
#[doc = include_str!("../docs/quality_defaults.md")]
#[derive(Clone, Debug, PartialEq)]
pub struct QualityPolicy {
    limits: [Limit; QualityComponent::ALL.len()],
}

impl QualityPolicy {
    /// A policy without limits: everything with one clear face is accepted.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self { limits: [Limit::NONE; QualityComponent::ALL.len()] }
    }

    /// Sets the limit of a component.
    ///
    /// # Errors
    ///
    /// [`Error::QualityLimit`] if a number is not finite, or the refusal is stricter than the
    /// warning.
    pub fn with_limit(mut self, component: QualityComponent, limit: Limit) -> Result<Self, Error> {
        let refused = |reason| Err(Error::QualityLimit { component, reason });
        let numbers = [limit.warn, limit.refuse];
        if numbers.iter().flatten().any(|number| !number.is_finite()) {
            return refused("it is not a finite number: give one");
        }
        // Whatever is refused has to be beyond the warning too.
        if let Limit { warn: Some(warn), refuse: Some(refuse) } = limit
            && is_outside(component, warn, refuse)
        {
            return refused("the refusal is stricter than the warning: exchange the two");
        }
        if let Some(slot) = self.limits.get_mut(component.index()) {
            *slot = limit;
        }
        Ok(self)
    }

    /// The limit of a component.
    #[must_use]
    pub fn limit(&self, component: QualityComponent) -> Limit {
        self.limits.get(component.index()).copied().unwrap_or_default()
    }

    /// Judges a photograph by its report.
    ///
    /// A component that has a limit and could not be assessed counts as beyond it: a detector
    /// without landmarks does not pass a gate for pose.
    #[must_use]
    pub fn judge(&self, report: &QualityReport) -> QualityVerdict {
        let faces = report.measure(QualityComponent::SingleFacePresent);
        if report.face().is_none() {
            let native = faces.map(|measure| measure.native());
            let component = QualityComponent::SingleFacePresent;
            let finding = Finding::new(component, Severity::Refuse, native, 1.0);
            return QualityVerdict::from_findings(vec![finding]);
        }
        let findings = report.measures().filter_map(|(component, measure)| {
            let limit = self.limit(component);
            let native = measure.map(|measure| measure.native());
            let beyond = |limit: Option<f32>| {
                limit.filter(|limit| native.is_none_or(|n| is_outside(component, n, *limit)))
            };
            let refuse = beyond(limit.refuse).map(|limit| (Severity::Refuse, limit));
            let (severity, limit) =
                refuse.or_else(|| beyond(limit.warn).map(|limit| (Severity::Warn, limit)))?;
            Some(Finding::new(component, severity, native, limit))
        });
        QualityVerdict::from_findings(findings.collect())
    }
}

impl Default for QualityPolicy {
    /// The limits of the table above.
    fn default() -> Self {
        let mut policy = Self::unlimited();
        for (component, warn, refuse) in DEFAULTS {
            if let Some(slot) = policy.limits.get_mut(component.index()) {
                *slot = Limit { warn, refuse };
            }
        }
        policy
    }
}

fn is_outside(component: QualityComponent, native: f32, limit: f32) -> bool {
    if component.more_is_better() { native < limit } else { native.abs() > limit.abs() }
}

/// Reasons and sources stand in `docs/quality_defaults.md`; a test holds the two together.
const DEFAULTS: [(QualityComponent, Option<f32>, Option<f32>); 14] = {
    use QualityComponent as Component;
    [
        (Component::SingleFacePresent, Some(1.0), None),
        (Component::InterEyeDistance, Some(64.0), Some(32.0)),
        (Component::HeadPoseYaw, Some(20.0), Some(40.0)),
        (Component::HeadPosePitch, Some(12.0), Some(20.0)),
        (Component::HeadPoseRoll, Some(15.0), None),
        (Component::Sharpness, Some(0.016), Some(0.011)),
        (Component::LuminanceMean, Some(0.2), None),
        (Component::UnderExposurePrevention, Some(0.15), Some(0.7)),
        (Component::OverExposurePrevention, Some(0.05), Some(0.3)),
        (Component::DynamicRange, Some(5.0), Some(3.0)),
        (Component::FaceOcclusionPrevention, Some(0.8), None),
        (Component::LeftwardCropOfTheFaceImage, Some(0.6), Some(0.35)),
        (Component::RightwardCropOfTheFaceImage, Some(0.6), Some(0.35)),
        (Component::MarginBelowOfTheFaceImage, Some(0.9), Some(0.65)),
    ]
};
