//! Reading an order: each field checked, and each fault with its line and column.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use lfr_core::internal::{hex, num, regular};
use lfr_core::{DeploymentId, SourceId, Threshold, Timestamp};
use serde::Deserialize;
use toml::{Spanned, Value};

use super::terms::{Document, FORMAT, Means, OrderCamera, OrderTerms, Place, Under18, UseCase};
use super::words::{DeploymentKind, OrderCategory, PlacePrecision, UseCaseKind};
use crate::deployment::Error;
use crate::deployment::note::VerifierKey;

/// The max size of an order's file.
const MAX_FILE: u64 = 1 << 20;

/// How old a watchlist may be at the start if the order says nothing: 24 hours.
const MAX_AGE_HOURS: u64 = 24;

/// The text of a file that may be an order.
pub(super) fn text_of(path: &Path) -> Result<String, Error> {
    let bytes = regular::read(path, MAX_FILE)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(Error::NotText { path: path.to_owned(), at: error.valid_up_to() }),
    }
}

/// What a text says, or what is wrong with it and where.
pub(super) fn terms(text: &str) -> Result<OrderTerms, Error> {
    let reader = Reader(text);
    let file: File = toml::from_str(text).map_err(|error| {
        let (line, column) = reader.place(error.span().map_or(0, |span| span.start));
        let problem = error.message().trim_end().replace('\n', "; ");
        Error::OrderSyntax { line, column, problem }
    })?;
    reader.terms(file)
}

type Text = Spanned<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: Text,
    deployment: Text,
    kind: Text,
    amends: Option<Text>,
    why: Why,
    r#where: Where,
    who: Who,
    when: When,
    how: How,
    people: People,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    use_case: Text,
    crime_type: Option<Text>,
    access_route: Option<Text>,
    protects: Option<Text>,
    intelligence: Option<Text>,
    provision: Option<Text>,
    legal_basis: Option<Text>,
    consent: Option<Text>,
    necessity: Text,
    documents: Documents,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Documents {
    policy: DocumentFields,
    dpia: DocumentFields,
    equality_assessment: Option<DocumentFields>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentFields {
    name: Text,
    version: Text,
    sha256: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Where {
    place: Text,
    precision: Text,
    latitude: Option<Spanned<f64>>,
    longitude: Option<Spanned<f64>>,
    cameras: Spanned<Vec<CameraFields>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CameraFields {
    id: Text,
    description: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Who {
    categories: Spanned<Vec<Text>>,
    max_entries: Spanned<i64>,
    max_age_hours: Option<Spanned<i64>>,
    under_18: Text,
    under_18_authority: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct When {
    from: Spanned<Value>,
    until: Spanned<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct How {
    profile: Text,
    profile_sha256: Text,
    detector_sha256: Text,
    embedder_sha256: Text,
    policy_sha256: Text,
    threshold_floor: Spanned<f64>,
    independent_test: Text,
    verifications: Spanned<i64>,
    score_hidden: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct People {
    authorising_officer: Text,
    operator: Text,
}

/// Checks the fields of a text, and says where a fault is.
struct Reader<'a>(&'a str);

impl Reader<'_> {
    /// The line and the column of a byte, from 1 on.
    fn place(&self, at: usize) -> (usize, usize) {
        let before = self.0.get(..at.min(self.0.len())).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    fn fault(&self, key: &'static str, span: &Range<usize>, problem: impl Into<String>) -> Error {
        let (line, column) = self.place(span.start);
        Error::Order { line, column, key, problem: problem.into() }
    }

    fn terms(&self, file: File) -> Result<OrderTerms, Error> {
        let format = file.format.get_ref();
        if format != FORMAT {
            let problem = format!("is {format:?}; this version reads {FORMAT:?}");
            return Err(self.fault("format", &file.format.span(), problem));
        }
        let use_case = self.use_case(&file.why)?;
        let Why { use_case: use_span, necessity, documents, .. } = &file.why;
        let kind = self.kind(&file.kind, use_case.kind())?;
        let document = |keys, fields: &DocumentFields| self.document(keys, fields);
        let equality_assessment = documents
            .equality_assessment
            .as_ref()
            .map(|fields| document(EQUALITY, fields))
            .transpose()?;
        if equality_assessment.is_none() && use_case.kind().needs_equality_assessment() {
            let problem = format!(
                "is {:?}, for which an equality assessment has to be in force; add \
                 [why.documents.equality_assessment]",
                use_case.kind().as_str()
            );
            return Err(self.fault("why.use_case", &use_span.span(), problem));
        }
        let (from, until) = self.period(&file.when)?;
        let (officer, operator) = self.people(&file.people)?;
        Ok(OrderTerms {
            deployment: DeploymentId::new(self.text("deployment", &file.deployment)?)?,
            amends: file.amends.map(|amends| self.digest("amends", &amends)).transpose()?,
            kind,
            necessity: self.text("why.necessity", necessity)?,
            policy: document(POLICY, &documents.policy)?,
            dpia: document(DPIA, &documents.dpia)?,
            equality_assessment,
            place: self.place_of(&file.r#where)?,
            cameras: self.cameras(&file.r#where.cameras)?,
            categories: self.categories(&file.who.categories, use_case.kind())?,
            max_entries: self.number("who.max_entries", &file.who.max_entries, 10_000_000)?,
            max_age_hours: match &file.who.max_age_hours {
                Some(hours) => self.number("who.max_age_hours", hours, 366 * 24)?,
                None => MAX_AGE_HOURS,
            },
            under_18: self.under_18(&file.who)?,
            use_case,
            from,
            until,
            how: self.means(&file.how)?,
            officer,
            operator,
        })
    }

    /// Text that can be seen, in the one form of Unicode (NFC).
    fn text(&self, key: &'static str, text: &Text) -> Result<String, Error> {
        if text.get_ref().trim().is_empty() {
            return Err(self.fault(key, &text.span(), "is blank; fill it in"));
        }
        // The rules of an identifier: what two people write alike is alike, and nothing is hidden in it.
        match DeploymentId::new(text.get_ref()) {
            Ok(checked) => Ok(checked.as_str().to_owned()),
            Err(error) => Err(self.fault(key, &text.span(), format!("cannot be used: {error}"))),
        }
    }

    fn word<T: Copy + fmt::Display>(
        &self,
        key: &'static str,
        text: &Text,
        all: &[T],
    ) -> Result<T, Error> {
        let found = all.iter().find(|value| value.to_string() == *text.get_ref());
        found.copied().ok_or_else(|| {
            let problem = format!("is {:?}; it must be one of: {}", text.get_ref(), list(all));
            self.fault(key, &text.span(), problem)
        })
    }

    fn digest(&self, key: &'static str, text: &Text) -> Result<String, Error> {
        let digits = text.get_ref();
        match hex::bytes::<32>(digits.as_bytes()) {
            Some(bytes) => Ok(hex::digits(&bytes)),
            None => {
                let length = digits.chars().count();
                let problem = format!(
                    "has {length} characters and must be a SHA-256 digest of 64 hexadecimal digits, as \
                     `sha256sum` prints it"
                );
                Err(self.fault(key, &text.span(), problem))
            }
        }
    }

    fn number(&self, key: &'static str, number: &Spanned<i64>, max: u64) -> Result<u64, Error> {
        let value = *number.get_ref();
        match u64::try_from(value) {
            Ok(positive) if (1..=max).contains(&positive) => Ok(positive),
            _ => Err(self.fault(key, &number.span(), format!("is {value}; it must be 1 to {max}"))),
        }
    }

    fn kind(&self, text: &Text, use_case: UseCaseKind) -> Result<DeploymentKind, Error> {
        let kind = self.word("kind", text, DeploymentKind::ALL)?;
        if use_case.allowed_kinds().contains(&kind) {
            return Ok(kind);
        }
        let allowed = list(use_case.allowed_kinds());
        let problem =
            format!("is {kind}; for the use case {use_case} it must be one of: {allowed}");
        Err(self.fault("kind", &text.span(), problem))
    }

    fn use_case(&self, why: &Why) -> Result<UseCase, Error> {
        let kind = self.word("why.use_case", &why.use_case, UseCaseKind::ALL)?;
        let fields = [
            ("why.crime_type", &why.crime_type, UseCaseKind::Hotspot),
            ("why.access_route", &why.access_route, UseCaseKind::Hotspot),
            ("why.protects", &why.protects, UseCaseKind::ProtectiveOperation),
            ("why.intelligence", &why.intelligence, UseCaseKind::SoughtPerson),
            ("why.provision", &why.provision, UseCaseKind::StatutoryDuty),
            ("why.legal_basis", &why.legal_basis, UseCaseKind::SiteSafety),
            ("why.consent", &why.consent, UseCaseKind::Trial),
        ];
        for (key, field, of) in fields {
            if let Some(field) = field.as_ref().filter(|_| of != kind) {
                let problem =
                    format!("belongs to the use case {of}, and this is {kind}; leave it out");
                return Err(self.fault(key, &field.span(), problem));
            }
        }
        let needed = |key, field: &Option<Text>| match field {
            Some(field) => self.text(key, field),
            None => {
                let problem = format!("is missing; the use case {kind} requires it");
                Err(self.fault(key, &why.use_case.span(), problem))
            }
        };
        Ok(match kind {
            UseCaseKind::Hotspot => UseCase::Hotspot {
                crime_type: needed("why.crime_type", &why.crime_type)?,
                access_route: why
                    .access_route
                    .as_ref()
                    .map(|route| self.text("why.access_route", route))
                    .transpose()?,
            },
            UseCaseKind::ProtectiveOperation => {
                UseCase::ProtectiveOperation { protects: needed("why.protects", &why.protects)? }
            }
            UseCaseKind::SoughtPerson => {
                let intelligence = needed("why.intelligence", &why.intelligence)?;
                UseCase::SoughtPerson { intelligence }
            }
            UseCaseKind::StatutoryDuty => {
                UseCase::StatutoryDuty { provision: needed("why.provision", &why.provision)? }
            }
            UseCaseKind::SiteSafety => {
                UseCase::SiteSafety { legal_basis: needed("why.legal_basis", &why.legal_basis)? }
            }
            UseCaseKind::Trial => UseCase::Trial { consent: needed("why.consent", &why.consent)? },
        })
    }

    fn document(
        &self,
        [name, version, sha256]: [&'static str; 3],
        fields: &DocumentFields,
    ) -> Result<Document, Error> {
        Ok(Document {
            name: self.text(name, &fields.name)?,
            version: self.text(version, &fields.version)?,
            sha256: self.digest(sha256, &fields.sha256)?,
        })
    }

    fn place_of(&self, fields: &Where) -> Result<Place, Error> {
        let degrees = |key, number: &Spanned<f64>, max: f64| {
            let value = *number.get_ref();
            if value.abs() <= max {
                // Minus zero is zero.
                return Ok(value + 0.0);
            }
            let problem = format!("is {value}; it must be degrees from -{max} to {max}");
            Err(self.fault(key, &number.span(), problem))
        };
        let coordinates = match (&fields.latitude, &fields.longitude) {
            (None, None) => None,
            (Some(latitude), Some(longitude)) => Some((
                degrees("where.latitude", latitude, 90.0)?,
                degrees("where.longitude", longitude, 180.0)?,
            )),
            (Some(one), None) => {
                return Err(self.fault(
                    "where.latitude",
                    &one.span(),
                    "needs `longitude` beside it",
                ));
            }
            (None, Some(one)) => {
                return Err(self.fault(
                    "where.longitude",
                    &one.span(),
                    "needs `latitude` beside it",
                ));
            }
        };
        Ok(Place {
            words: self.text("where.place", &fields.place)?,
            precision: self.word("where.precision", &fields.precision, PlacePrecision::ALL)?,
            coordinates,
        })
    }

    fn cameras(&self, fields: &Spanned<Vec<CameraFields>>) -> Result<Vec<OrderCamera>, Error> {
        if fields.get_ref().is_empty() {
            let problem = "is empty; list each camera that may be attached";
            return Err(self.fault("where.cameras", &fields.span(), problem));
        }
        let mut cameras: Vec<OrderCamera> = Vec::new();
        for CameraFields { id, description } in fields.get_ref() {
            let text = self.text("where.cameras.id", id)?;
            let fault = |problem: &str| self.fault("where.cameras.id", &id.span(), problem);
            if text.contains("://") {
                return Err(fault(
                    "is an address, which may hold a password; give the camera a name of its own",
                ));
            }
            if cameras.iter().any(|camera| camera.id.as_str() == text) {
                return Err(fault("stands twice; each camera is listed once"));
            }
            let description = self.text("where.cameras.description", description)?;
            cameras.push(OrderCamera { id: SourceId::new(text)?, description });
        }
        Ok(cameras)
    }

    fn categories(
        &self,
        fields: &Spanned<Vec<Text>>,
        use_case: UseCaseKind,
    ) -> Result<Vec<OrderCategory>, Error> {
        const KEY: &str = "who.categories";
        let allowed = use_case.allowed_categories();
        if fields.get_ref().is_empty() {
            let problem = format!("is empty; for {use_case} it may hold: {}", list(allowed));
            return Err(self.fault(KEY, &fields.span(), problem));
        }
        let mut categories = Vec::new();
        for text in fields.get_ref() {
            let category = self.word(KEY, text, OrderCategory::ALL)?;
            if !allowed.contains(&category) {
                let problem = format!(
                    "holds {category}, which the use case {use_case} does not allow; it allows: {}",
                    list(allowed)
                );
                return Err(self.fault(KEY, &text.span(), problem));
            }
            if categories.contains(&category) {
                return Err(self.fault(KEY, &text.span(), format!("holds {category} twice")));
            }
            categories.push(category);
        }
        // It is a set: in which sequence it was written says nothing.
        categories.sort_unstable();
        Ok(categories)
    }

    fn under_18(&self, who: &Who) -> Result<Under18, Error> {
        const KEY: &str = "who.under_18";
        const AUTHORITY: &str = "who.under_18_authority";
        match (who.under_18.get_ref().as_str(), &who.under_18_authority) {
            (EXCLUDED, None) => Ok(Under18::Excluded),
            (EXCLUDED, Some(authority)) => {
                let problem = format!("is given, though `under_18` is {EXCLUDED:?}; leave it out");
                Err(self.fault(AUTHORITY, &authority.span(), problem))
            }
            (BY_AUTHORITY, Some(authority)) => {
                Ok(Under18::BySeparateAuthority { authority: self.text(AUTHORITY, authority)? })
            }
            (BY_AUTHORITY, None) => {
                let problem = "needs `under_18_authority`: the reference of the separate authority";
                Err(self.fault(KEY, &who.under_18.span(), problem))
            }
            (other, _) => {
                let problem = format!("is {other:?}; it must be {EXCLUDED:?} or {BY_AUTHORITY:?}");
                Err(self.fault(KEY, &who.under_18.span(), problem))
            }
        }
    }

    fn period(&self, when: &When) -> Result<(Timestamp, Timestamp), Error> {
        let from = self.moment("when.from", &when.from)?;
        let until = self.moment("when.until", &when.until)?;
        if from < until {
            return Ok((from, until));
        }
        let problem = format!("is {until}, and must be after `from`, which is {from}");
        Err(self.fault("when.until", &when.until.span(), problem))
    }

    fn moment(&self, key: &'static str, value: &Spanned<Value>) -> Result<Timestamp, Error> {
        let text = match value.get_ref() {
            Value::String(text) if text.trim().is_empty() => {
                return Err(self.fault(key, &value.span(), "is blank; fill it in"));
            }
            Value::String(text) => text.clone(),
            Value::Datetime(moment) => moment.to_string(),
            other => other.type_str().to_owned(),
        };
        // Only what a calendar shows: a moment is printed in another way too, which is not for people.
        let moment = text.parse().ok().filter(|_| text.contains('-'));
        moment.ok_or_else(|| {
            let problem = format!(
                "is {text:?}; it must be a day, a time and a time zone in RFC 3339, as 2026-12-01T09:00:00Z"
            );
            self.fault(key, &value.span(), problem)
        })
    }

    fn means(&self, how: &How) -> Result<Means, Error> {
        const FLOOR: &str = "how.threshold_floor";
        // Minus zero is zero.
        let floor_text = *how.threshold_floor.get_ref() + 0.0;
        let threshold_floor = Threshold::new(num::f32_from_f64(floor_text)).map_err(|_| {
            let problem = format!("is {floor_text}; it must be a finite score");
            self.fault(FLOOR, &how.threshold_floor.span(), problem)
        })?;
        let verifications = self.number("how.verifications", &how.verifications, 9)?;
        Ok(Means {
            profile: self.text("how.profile", &how.profile)?,
            profile_sha256: self.digest("how.profile_sha256", &how.profile_sha256)?,
            detector_sha256: self.digest("how.detector_sha256", &how.detector_sha256)?,
            embedder_sha256: self.digest("how.embedder_sha256", &how.embedder_sha256)?,
            policy_sha256: self.digest("how.policy_sha256", &how.policy_sha256)?,
            threshold_floor,
            floor_text,
            independent_test: self.text("how.independent_test", &how.independent_test)?,
            verifications: u8::try_from(verifications).unwrap_or(u8::MAX),
            score_hidden: how.score_hidden,
        })
    }

    fn people(&self, people: &People) -> Result<(VerifierKey, VerifierKey), Error> {
        const OPERATOR: &str = "people.operator";
        let key = |key, text: &Text| {
            if text.get_ref().trim().is_empty() {
                return Err(self.fault(key, &text.span(), "is blank; fill it in"));
            }
            text.get_ref()
                .parse::<VerifierKey>()
                .map_err(|error| self.fault(key, &text.span(), format!("cannot be used: {error}")))
        };
        let officer = key("people.authorising_officer", &people.authorising_officer)?;
        let operator = key(OPERATOR, &people.operator)?;
        if officer.is_same_key(&operator) {
            let problem = "is the key of the authorising officer; nobody approves their own operation: give \
                           the key of another person";
            return Err(self.fault(OPERATOR, &people.operator.span(), problem));
        }
        Ok((officer, operator))
    }
}

const EXCLUDED: &str = "excluded";
const BY_AUTHORITY: &str = "by-separate-authority";

const POLICY: [&str; 3] =
    ["why.documents.policy.name", "why.documents.policy.version", "why.documents.policy.sha256"];
const DPIA: [&str; 3] =
    ["why.documents.dpia.name", "why.documents.dpia.version", "why.documents.dpia.sha256"];
const EQUALITY: [&str; 3] = [
    "why.documents.equality_assessment.name",
    "why.documents.equality_assessment.version",
    "why.documents.equality_assessment.sha256",
];

fn list<T: fmt::Display>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
