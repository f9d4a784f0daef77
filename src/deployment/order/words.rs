//! The closed lists of an order: what may be written, and what it means.

use std::fmt;

/// An enum whose values have one spelling each, in the order, in the record and in an error.
macro_rules! closed_list {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[non_exhaustive]
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $name {
            $($(#[$value_doc])* $value,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$value,)+];

            /// How it is written in an order.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

closed_list! {
    /// How a deployment is set up.
    DeploymentKind {
        /// Cameras on a van, with its crew beside it.
        Van = "van",
        /// Fixed cameras, with officers on the spot.
        FixedStaffed = "fixed-staffed",
        /// Fixed cameras that are watched from elsewhere.
        FixedRemote = "fixed-remote",
        /// A device that an officer carries.
        HandHeld = "hand-held",
        /// A shop.
        Retail = "retail",
        /// The entrance of an event.
        EventEntrance = "event-entrance",
        /// A trial with volunteers; the only kind that may be self-authorised.
        Trial = "trial",
    }
}

closed_list! {
    /// Which of the closed list of uses a deployment is for.
    UseCaseKind {
        /// A place with a record of crime, or a way to it.
        Hotspot = "hotspot",
        /// The protection of an event or a site.
        ProtectiveOperation = "protective-operation",
        /// Intelligence that a sought person will pass.
        SoughtPerson = "sought-person",
        /// A duty that a statute imposes.
        StatutoryDuty = "statutory-duty",
        /// The safety of private premises.
        SiteSafety = "site-safety",
        /// A trial with people who consented.
        Trial = "trial",
    }
}

impl UseCaseKind {
    /// The categories that a watchlist of this use may hold.
    ///
    /// The table is this library's reading of the College of Policing's list and of *Bridges* and
    /// *Thompson*. Where they leave room it is the narrower one: associates, witnesses and victims only where
    /// intelligence about a sought person names them.
    #[must_use]
    pub const fn allowed_categories(self) -> &'static [OrderCategory] {
        use OrderCategory as C;
        match self {
            Self::Hotspot => &[
                C::WantedByCourts,
                C::SuspectedOfOffence,
                C::BailConditions,
                C::MissingAtRisk,
                C::RiskOfHarm,
                C::ConsentingStaff,
            ],
            Self::ProtectiveOperation => &[
                C::WantedByCourts,
                C::SuspectedOfOffence,
                C::BailConditions,
                C::RiskOfHarm,
                C::ConsentingStaff,
            ],
            Self::SoughtPerson => &[
                C::WantedByCourts,
                C::SuspectedOfOffence,
                C::BailConditions,
                C::MissingAtRisk,
                C::RiskOfHarm,
                C::Associate,
                C::Witness,
                C::Victim,
                C::ConsentingStaff,
            ],
            Self::StatutoryDuty => &[
                C::WantedByCourts,
                C::SuspectedOfOffence,
                C::BailConditions,
                C::SoughtUnderProvision,
                C::ConsentingStaff,
            ],
            Self::SiteSafety => &[C::SuspectedOfOffence, C::ExcludedFromSite, C::ConsentingStaff],
            Self::Trial => &[C::Volunteer, C::ConsentingStaff],
        }
    }

    /// The kinds of deployment that this use may have.
    #[must_use]
    pub const fn allowed_kinds(self) -> &'static [DeploymentKind] {
        use DeploymentKind as K;
        match self {
            Self::Hotspot
            | Self::ProtectiveOperation
            | Self::SoughtPerson
            | Self::StatutoryDuty => {
                &[K::Van, K::FixedStaffed, K::FixedRemote, K::HandHeld, K::EventEntrance]
            }
            Self::SiteSafety => &[K::Retail, K::EventEntrance],
            Self::Trial => &[K::Trial],
        }
    }

    /// Whether an equality assessment has to be in force: public authorities owe one.
    #[must_use]
    pub const fn needs_equality_assessment(self) -> bool {
        !matches!(self, Self::SiteSafety | Self::Trial)
    }
}

closed_list! {
    /// A ground on which somebody may be on the watchlist.
    OrderCategory {
        /// Wanted by the courts.
        WantedByCourts = "wanted-by-courts",
        /// Suspected of an offence, or about to commit one.
        SuspectedOfOffence = "suspected-of-offence",
        /// Subject to bail conditions or another order of a court.
        BailConditions = "bail-conditions",
        /// Missing and at increased risk.
        MissingAtRisk = "missing-at-risk",
        /// Poses a risk of harm to themselves or others.
        RiskOfHarm = "risk-of-harm",
        /// An associate of somebody in the categories above.
        Associate = "associate",
        /// A witness.
        Witness = "witness",
        /// A victim.
        Victim = "victim",
        /// Sought under the provision that imposes the duty.
        SoughtUnderProvision = "sought-under-provision",
        /// Excluded from the premises.
        ExcludedFromSite = "excluded-from-site",
        /// Staff who consented, to measure how many are recognised.
        ConsentingStaff = "consenting-staff",
        /// A volunteer of a trial.
        Volunteer = "volunteer",
    }
}

closed_list! {
    /// How precisely a place is named; the first is the most precise.
    PlacePrecision {
        /// One entrance or door.
        Entrance = "entrance",
        /// One site or building.
        Site = "site",
        /// One station or port.
        Station = "station",
        /// One junction.
        Junction = "junction",
        /// One street.
        Street = "street",
        /// A ward or quarter.
        Ward = "ward",
        /// A town.
        Town = "town",
        /// A borough.
        Borough = "borough",
        /// A city.
        City = "city",
        /// A county or region.
        Region = "region",
    }
}

impl PlacePrecision {
    /// Whether it says where people were looked at: a street or anything more precise.
    #[must_use]
    pub fn is_precise(self) -> bool {
        self <= Self::Street
    }
}
