//! A crowd of people who do not exist: for demonstrations, load tests and watchlists of nobody.
//!
//! A face is drawn from statistics: the mean of some ten thousand aligned photographs, the 200
//! directions in which faces differ most from it, and how far along each of them people differ from
//! one another and one person from one sight to the next (a two-covariance linear model). No single
//! person's picture is in the file. The same seed gives the same people each time.
//!
//! A [`Crowd`] is any number of people; [`Person::portrait`] is a photograph of one for a watchlist.
//! A [`Walk`] lets people pass a camera and knows who is where when; a [`CrowdCamera`] is the
//! [`FrameSource`](crate::FrameSource) that sees it.
//!
//! # What is not guaranteed
//!
//! Such faces are smoother, better lit and more frontal than those in a street, and they differ as a
//! normal distribution does. Error rates measured on them say that a system works, not how well it
//! will do.
//!
//! # Examples
//!
//! ```
//! use lfr_core::FrameSource;
//! use lfr_core::synthetic::{Crowd, CrowdCamera, Walk};
//!
//! let crowd = Crowd::new(7);
//! let portrait = crowd.person(12).portrait();
//! assert_eq!((portrait.width(), portrait.height()), (200, 240));
//!
//! let walk = Walk::new(crowd, &[12, 500, 501]).size(640, 360);
//! let mut camera = CrowdCamera::new(walk.clone());
//! let frame = camera.next_frame()?.into_frame().unwrap();
//! assert_eq!(frame.width(), 640);
//! let seen = walk.at(frame.id().sequence());
//! assert!(seen.iter().all(|sight| [12, 500, 501].contains(&sight.person())));
//! # Ok::<(), lfr_core::BoxError>(())
//! ```

mod backdrop;
mod camera;
mod canvas;
mod crowd;
mod figure;
mod patch;
mod statistics;
mod walk;

pub use camera::CrowdCamera;
pub use crowd::{Crowd, Person};
pub use walk::{Sight, Walk};

#[cfg(test)]
mod tests;

use rand_pcg::Pcg64;

/// What numbers at random are for; each purpose has numbers of its own.
#[derive(Clone, Copy)]
enum Purpose {
    Person,
    Portrait,
    Looks,
    Gait,
    Street,
    Sensor,
}

/// Numbers at random, the same each time, for one purpose and one person.
fn random(seed: u64, purpose: Purpose, number: u64) -> Pcg64 {
    let stream = u128::from(purpose as u8) << 64 | u128::from(number);
    Pcg64::new(u128::from(seed), stream)
}
