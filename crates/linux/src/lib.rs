//! The Linux tiers.
