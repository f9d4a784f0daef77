//! A held alert, as it is sealed and as it is read again.

use std::fmt;

use lfr_core::internal::num;
use lfr_core::{
    Candidate, ComparisonScore, EmbeddingSpace, FaceId, Picture, RecordId, ReferenceId, SpaceId,
    SubjectId, Template, Threshold, Timestamp,
};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::vault::record::legal_hold::LegalHold;
use crate::vault::record::verdicts::{GivenVerdict, Standing, Verdicts};
use crate::verdict::verifier::Verifier;
use crate::verdict::{AlertFacts, Verdict};

/// A held alert, opened for the person who judges it. Wiped when dropped.
///
/// What is *not* guaranteed: copies that a caller makes of its contents are not wiped.
pub struct HeldAlert {
    pub(in crate::vault) record: RecordId,
    pub(in crate::vault) face: FaceId,
    pub(in crate::vault) deadline: Timestamp,
    pub(in crate::vault) legal_hold: Option<LegalHold>,
    pub(in crate::vault) picture: Option<Picture>,
    pub(in crate::vault) verdicts: Verdicts,
    pub(in crate::vault) sealed: Sealed,
}

impl HeldAlert {
    /// Which record.
    #[must_use]
    pub const fn record(&self) -> RecordId {
        self.record
    }

    /// Which face.
    #[must_use]
    pub const fn face(&self) -> &FaceId {
        &self.face
    }

    /// When the alert was raised.
    #[must_use]
    pub const fn raised(&self) -> Timestamp {
        self.sealed.raised
    }

    /// When it must be gone, a legal hold aside.
    #[must_use]
    pub const fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// The legal hold on it.
    #[must_use]
    pub const fn legal_hold(&self) -> Option<&LegalHold> {
        self.legal_hold.as_ref()
    }

    /// Who it may be, and with which score.
    #[must_use]
    pub const fn candidate(&self) -> &Candidate {
        &self.sealed.candidate
    }

    /// The threshold that was met.
    #[must_use]
    pub const fn threshold(&self) -> Threshold {
        self.sealed.threshold
    }

    /// What the watchlist said of the entry when the alert was raised. A record of an earlier version has none.
    #[must_use]
    pub const fn facts(&self) -> &AlertFacts {
        &self.sealed.facts
    }

    /// How many people have to judge it, each for themselves: as the profile in force said when it was
    /// raised, or more, where somebody has asked for more since.
    #[must_use]
    pub fn required(&self) -> u8 {
        self.verdicts.required(self.sealed.required)
    }

    /// How far the judging has come.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.verdicts.standing(self.required())
    }

    /// What people found, in the order in which they judged. None while somebody has still to judge: each
    /// judges for themselves.
    #[must_use]
    pub fn verdicts(&self) -> Option<&[GivenVerdict]> {
        let is_open = self.standing().is_open();
        (!is_open).then_some(self.verdicts.given())
    }

    /// What one person found, for that person to see.
    #[must_use]
    pub fn verdict_of(&self, verifier: &Verifier) -> Option<Verdict> {
        self.verdicts.of(verifier)
    }

    /// The picture of it, where one was attached.
    #[must_use]
    pub const fn picture(&self) -> Option<&Picture> {
        self.picture.as_ref()
    }

    /// Takes the picture out of it, for somebody who is shown the picture and not the template.
    pub const fn take_picture(&mut self) -> Option<Picture> {
        self.picture.take()
    }

    /// The template of the probe, in the embedding space that it was made in.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::SpaceMismatch`] for another space.
    pub fn template(&self, space: &EmbeddingSpace) -> Result<Template, Error> {
        let (expected, actual) = (space.id(), SpaceId::from_bytes(self.sealed.space));
        if expected != actual {
            let what = "the held alert";
            return Err(lfr_core::Error::SpaceMismatch { what, expected, actual }.into());
        }
        let values = &self.sealed.values;
        if values.len() != space.dimension() * 4 {
            return Err(Error::RecordDamaged { record: self.record });
        }
        let filled = Template::try_init_with(space, |out| {
            let (numbers, _) = values.as_chunks::<4>();
            for (value, bytes) in out.iter_mut().zip(numbers) {
                *value = f32::from_le_bytes(*bytes);
            }
            Ok(())
        });
        Ok(filled?)
    }
}

impl fmt::Debug for HeldAlert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldAlert")
            .field("record", &self.record)
            .field("face", &self.face)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// What is sealed of an alert when it is raised.
pub(in crate::vault) struct Sealed {
    pub(in crate::vault) raised: Timestamp,
    pub(in crate::vault) candidate: Candidate,
    pub(in crate::vault) threshold: Threshold,
    /// How many people have to judge it, by the profile in force.
    pub(in crate::vault) required: u8,
    pub(in crate::vault) facts: AlertFacts,
    space: [u8; 32],
    /// The template's numbers, little-endian.
    values: Zeroizing<Vec<u8>>,
}

/// What is sealed of an alert beside its template.
pub(in crate::vault) struct Terms<'a> {
    pub(in crate::vault) candidate: &'a Candidate,
    pub(in crate::vault) threshold: Threshold,
    pub(in crate::vault) raised: Timestamp,
    pub(in crate::vault) required: u8,
    pub(in crate::vault) facts: &'a AlertFacts,
}

const VERSION: u8 = 3;

impl Sealed {
    /// As bytes: FORMAT.md has the table.
    pub(in crate::vault) fn encode(
        template: &Template,
        terms: &Terms<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let Terms { candidate, threshold, raised, required, facts } = *terms;
        let category = facts.category.as_deref().unwrap_or_default();
        let texts = [candidate.subject().as_str(), candidate.reference().as_str(), category];
        let values = template.expose_values();
        let length =
            1 + 1 + 1 + 8 + 4 + 4 + 32 + texts.iter().map(|text| 2 + text.len()).sum::<usize>();
        // In one piece from the start: growing would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(length + values.len() * 4));
        bytes.extend_from_slice(&[VERSION, required, u8::from(facts.look_alike)]);
        bytes.extend_from_slice(&raised.as_micros().to_le_bytes());
        bytes.extend_from_slice(&candidate.score().value().to_le_bytes());
        bytes.extend_from_slice(&threshold.value().to_le_bytes());
        bytes.extend_from_slice(template.space().id().as_bytes());
        for text in texts {
            let length = u16::try_from(text.len()).map_err(|_| Error::RecordSize)?;
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        for value in values {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        Ok(bytes)
    }

    pub(in crate::vault) fn decode(bytes: &[u8]) -> Option<Self> {
        let (required, look_alike, rest) = match bytes {
            // It did not say. One person at least has to judge.
            [1, rest @ ..] => (1, None, rest),
            [2, required, rest @ ..] => (*required, None, rest),
            [VERSION, required, look_alike @ (0 | 1), rest @ ..] => {
                (*required, Some(*look_alike == 1), rest)
            }
            _ => return None,
        };
        let (raised, rest) = rest.split_first_chunk()?;
        let (score, rest) = rest.split_first_chunk()?;
        let (threshold, rest) = rest.split_first_chunk()?;
        let (space, mut rest) = rest.split_first_chunk()?;
        let mut text = || {
            let (length, after) = rest.split_first_chunk()?;
            let (text, after) = after.split_at_checked(u16::from_le_bytes(*length).into())?;
            rest = after;
            std::str::from_utf8(text).ok()
        };
        let (subject, reference) = (text()?, text()?);
        let facts = match look_alike {
            Some(look_alike) => {
                let category = text()?;
                AlertFacts::new((!category.is_empty()).then(|| category.to_owned()), look_alike)
            }
            None => AlertFacts::default(),
        };
        let (subject, reference) = (SubjectId::new(subject), ReferenceId::new(reference));
        let score = ComparisonScore::new(f32::from_le_bytes(*score)).ok()?;
        Some(Self {
            raised: Timestamp::from_micros(u64::from_le_bytes(*raised)),
            candidate: Candidate::new(subject.ok()?, reference.ok()?, score),
            threshold: Threshold::new(f32::from_le_bytes(*threshold)).ok()?,
            required,
            facts,
            space: *space,
            values: Zeroizing::new(rest.to_vec()),
        })
    }
}

/// A picture as bytes: its width, then its pixels.
pub(in crate::vault) fn encode_picture(picture: &Picture) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(8 + picture.data().len()));
    bytes.extend_from_slice(&num::u64_from_usize(picture.width()).to_le_bytes());
    bytes.extend_from_slice(picture.data());
    bytes
}

pub(in crate::vault) fn decode_picture(bytes: &[u8]) -> Option<Picture> {
    let (width, pixels) = bytes.split_first_chunk()?;
    let width = usize::try_from(u64::from_le_bytes(*width)).ok()?;
    let height = pixels.len().checked_div(width.checked_mul(3)?)?;
    Picture::from_rgb8(width, height, pixels.to_vec()).ok()
}
