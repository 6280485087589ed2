//! How the gate is told to stop.

use std::io;

use tokio::sync::oneshot;

/// Ends the gate when it becomes true.
pub struct Stop(Kind);

enum Kind {
    #[cfg(unix)]
    Descriptor(std::os::fd::OwnedFd),
    Channel(oneshot::Receiver<()>),
}

/// Stops the gate when it is dropped. It may be on another thread.
pub struct Stopper(oneshot::Sender<()>);

impl Stopper {
    /// Stops the gate.
    pub fn stop(self) {
        // If nobody listens, the gate is over already.
        let _ = self.0.send(());
    }
}

impl Stop {
    /// The gate stops when the descriptor (a pipe, socket, eventfd or pidfd) becomes readable, or its other end is closed.
    #[cfg(unix)]
    pub fn when_readable(descriptor: std::os::fd::OwnedFd) -> Stop {
        Stop(Kind::Descriptor(descriptor))
    }

    /// The gate stops when the other half says so, or is dropped.
    pub fn channel() -> (Stopper, Stop) {
        let (sender, receiver) = oneshot::channel();
        (Stopper(sender), Stop(Kind::Channel(receiver)))
    }

    /// Waits. Within a runtime.
    pub(crate) async fn wait(self) -> io::Result<()> {
        match self.0 {
            #[cfg(unix)]
            Kind::Descriptor(descriptor) => crate::watch::readable(descriptor)?.readable().await.map(drop),
            Kind::Channel(receiver) => {
                // Dropped or used: both mean to stop.
                let _ = receiver.await;
                Ok(())
            }
        }
    }
}
