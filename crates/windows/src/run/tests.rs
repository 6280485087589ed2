//! Set-up, sessions, crashes and attacks on the simulated Windows.

mod adversary;
mod crash;
mod life;
mod stage;
mod watch;
mod weak;
