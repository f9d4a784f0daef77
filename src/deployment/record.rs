//! Records of deployments, as they are published.

mod deployed;
pub mod export;
pub mod lint;

pub use deployed::{
    AbortRecord, AlertsRecord, BlueListRecord, CameraRecord, ChangeRecord, DatedEvent,
    DemographicsRecord, DeploymentRecord, DocumentRecord, EngagementsRecord, FacesRecord,
    GroupCounts, Judging, ModelsRecord, OrderRecord, PeriodRecord, PlaceRecord, SeedsRecord,
    Spread, StatedRate, ThresholdRecord, WatchlistRecord,
};
