//! Reading a body piece by piece, whatever the pieces that the bytes arrive in.

mod chunks;

pub(crate) use chunks::ChunkError;
use chunks::Chunks;

use super::framing::Framing;

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// More bytes are needed, after so many of these have been dropped.
    More(usize),
    /// After `skip` bytes that are not the body's, `data` bytes of it. `data` is never 0.
    Data {
        /// Bytes to drop first.
        skip: usize,
        /// Bytes of the body after them.
        data: usize,
    },
    /// The body is over, after so many bytes have been dropped.
    End(usize),
}

/// A body that is being read.
#[derive(Debug)]
pub(crate) enum Body {
    /// So many bytes are left.
    Length(u64),
    /// Chunks.
    Chunked(Box<Chunks>),
    /// Until the connection ends.
    UntilClose,
}

impl Body {
    /// A body at its beginning.
    pub(crate) fn new(framing: Framing) -> Body {
        match framing {
            Framing::None => Body::Length(0),
            Framing::Length(bytes) => Body::Length(bytes),
            Framing::Chunked => Body::Chunked(Box::default()),
            Framing::UntilClose => Body::UntilClose,
        }
    }

    /// What `bytes`, the next ones of the connection, are. The caller takes away what the step says and asks again.
    ///
    /// # Errors
    /// Chunks that are not exactly the syntax, or too long where nothing is carried.
    pub(crate) fn step(&mut self, bytes: &[u8]) -> Result<Step, ChunkError> {
        match self {
            Body::Length(0) => Ok(Step::End(0)),
            _ if bytes.is_empty() => Ok(Step::More(0)),
            Body::Length(left) => {
                let data = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= data as u64;
                Ok(Step::Data { skip: 0, data })
            }
            Body::Chunked(chunks) => chunks.step(bytes),
            Body::UntilClose => Ok(Step::Data { skip: 0, data: bytes.len() }),
        }
    }
}
