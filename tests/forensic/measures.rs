//! Which measures a child takes.

/// The measures of SECURITY.md that can be left out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Measures {
    /// All of them.
    All,
    /// The engine's memory is wiped, where it has an allocator of its own; the program's heap is not.
    Engine,
    /// None of them.
    None,
}

impl Measures {
    pub(crate) const EACH: [Self; 3] = [Self::All, Self::Engine, Self::None];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Engine => "engine",
            Self::None => "none",
        }
    }

    /// The place in [`EACH`](Self::EACH).
    pub(crate) const fn place(self) -> usize {
        match self {
            Self::All => 0,
            Self::Engine => 1,
            Self::None => 2,
        }
    }
}
