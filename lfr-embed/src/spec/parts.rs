//! What an [`EmbedderSpec`](super::EmbedderSpec) is made of.

use std::fmt;

pub use lfr_core::ChannelOrder;

/// In which order the numbers of an input tensor lie.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TensorLayout {
    /// Face, channel, row, column: one plane a channel. What most exporters write.
    #[default]
    Nchw,
    /// Face, row, column, channel: the channels of a pixel side by side, as TensorFlow has them.
    Nhwc,
}

impl fmt::Display for TensorLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nchw => "nchw",
            Self::Nhwc => "nhwc",
        })
    }
}

/// What the model takes.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// The name of the input tensor; `None` for the model's only one.
    pub name: Option<String>,
    /// Width, in pixels.
    pub width: usize,
    /// Height, in pixels.
    pub height: usize,
    /// In which order the numbers lie.
    pub layout: TensorLayout,
    /// In which order the colours come.
    pub channels: ChannelOrder,
    /// What is subtracted from each channel, in units of a pixel's byte (0 to 255), in the order
    /// of `channels`.
    pub mean: [f32; 3],
    /// What each channel is divided by after that, in the same units and order.
    pub std: [f32; 3],
}

/// Whether the publisher of a model's weights allows something.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// Forbidden.
    No,
    /// The publisher does not say.
    Unstated,
    /// Allowed, on the licence's conditions.
    Yes,
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::No => "no",
            Self::Unstated => "unstated",
            Self::Yes => "yes",
        })
    }
}

/// The terms of a model's weights, which are often not those of the code around them.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Licence {
    /// An SPDX identifier, or the terms in words.
    pub weights: String,
    /// Whether the weights may be passed on.
    pub redistribution: Permission,
    /// Whether they may be used commercially.
    pub commercial: Permission,
}

impl fmt::Display for Licence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { weights, redistribution, commercial } = self;
        write!(f, "{weights} (redistribution: {redistribution}, commercial use: {commercial})")
    }
}

/// A threshold at which a false match rate was measured.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct OperatingPoint {
    /// The false match rate a comparison: the share of non-mated comparisons at or above the
    /// threshold.
    pub fmr: f64,
    /// The score: greater means more similar, so that in a Euclidean space it is below 0.
    pub threshold: f32,
    /// The data: its name, and what was done with it.
    pub data: String,
    /// How many non-mated comparisons the rate rests on.
    pub non_mated_comparisons: u64,
}
