//! Carrying one body from a connection to another, newly delimited.

use std::cell::Cell;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio::{select, try_join};

use super::body::{Body, ChunkError, Step};
use super::framing::Framing;
use super::reader::Reader;

/// Why a body was not carried to its end.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// Its chunks are malformed.
    Malformed(ChunkError),
    /// The connection that it comes from ended or failed within it.
    Source,
    /// The connection that it goes to failed.
    Sink,
}

/// Carries a body that is delimited by `framing`, to be delimited as `chunked` says or as it was. Chunks are made anew and
/// their extensions and trailers left out, so that the other side reads nothing that was not read here. Adds the body's
/// bytes to `count`.
///
/// # Errors
/// After one, both connections are in the midst of a message and of no more use.
pub(crate) async fn carry_body<R, W>(
    source: &mut Reader<R>,
    framing: Framing,
    sink: &mut W,
    chunked: bool,
    count: &Cell<u64>,
) -> Result<(), BodyError>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut body = Body::new(framing);
    loop {
        match body.step(source.bytes()).map_err(BodyError::Malformed)? {
            Step::More(skip) => {
                source.consume(skip);
                sink.flush().await.map_err(|_| BodyError::Sink)?;
                let read = source.fill().await.map_err(|_| BodyError::Source)?;
                if read == 0 {
                    if framing == Framing::UntilClose {
                        break;
                    }
                    return Err(BodyError::Source);
                }
            }
            Step::Data { skip, data } => {
                source.consume(skip);
                let piece = source.bytes().get(..data).unwrap_or_default();
                write_piece(sink, piece, chunked).await.map_err(|_| BodyError::Sink)?;
                add(count, data as u64);
                source.consume(data);
            }
            Step::End(skip) => {
                source.consume(skip);
                break;
            }
        }
    }
    if chunked {
        sink.write_all(b"0\r\n\r\n").await.map_err(|_| BodyError::Sink)?;
    }
    sink.flush().await.map_err(|_| BodyError::Sink)
}

async fn write_piece<W: AsyncWrite + Unpin>(sink: &mut W, piece: &[u8], chunked: bool) -> io::Result<()> {
    if !chunked {
        return sink.write_all(piece).await;
    }
    // In one write: the size alone would be a packet of its own.
    let mut whole = format!("{:x}\r\n", piece.len()).into_bytes();
    whole.extend_from_slice(piece);
    whole.extend_from_slice(b"\r\n");
    sink.write_all(&whole).await
}

/// How long what one side had said may take to be carried when the other one takes nothing more.
const GRACE: Duration = Duration::from_secs(30);

/// Carries bytes both ways, as they are, until both sides have ended: the connection has become something else than HTTP. Adds
/// the bytes from `client` to `sent` and those from `server` to `received`.
///
/// A side that takes nothing more may have said something before: that is still carried, for a while. A side that cannot be read any
/// more ends it all.
pub(crate) async fn relay<R1, W1, R2, W2>(
    client: (&mut Reader<R1>, &mut W1),
    server: (&mut Reader<R2>, &mut W2),
    (sent, received): (&Cell<u64>, &Cell<u64>),
) where
    R1: AsyncRead + Unpin,
    W1: AsyncWrite + Unpin,
    R2: AsyncRead + Unpin,
    W2: AsyncWrite + Unpin,
{
    let deaf = Notify::new();
    let up = one_way(client.0, server.1, sent, &deaf);
    let down = one_way(server.0, client.1, received, &deaf);
    let late = async {
        deaf.notified().await;
        sleep(GRACE).await;
    };
    select! {
        _ = async { try_join!(up, down) } => {}
        () = late => {}
    }
}

/// Counts bytes.
pub(crate) fn add(count: &Cell<u64>, bytes: u64) {
    count.set(count.get().saturating_add(bytes));
}

/// Until the source has ended. `deaf` is told when the sink takes nothing more; what the source says after that is dropped, so that it is
/// not kept from hearing the rest.
async fn one_way<R, W>(source: &mut Reader<R>, sink: &mut W, count: &Cell<u64>, deaf: &Notify) -> Result<(), BodyError>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    match carry_body(source, Framing::UntilClose, sink, false, count).await {
        // It had ended already if this fails: nothing is lost.
        Ok(()) => drop(sink.shutdown().await),
        Err(BodyError::Sink) => {
            deaf.notify_one();
            drop_all(source).await?;
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Reads to the end.
async fn drop_all<R: AsyncRead + Unpin>(source: &mut Reader<R>) -> Result<(), BodyError> {
    loop {
        source.consume(source.bytes().len());
        if source.fill().await.map_err(|_| BodyError::Source)? == 0 {
            return Ok(());
        }
    }
}
