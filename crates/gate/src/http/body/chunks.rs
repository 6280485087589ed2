//! The chunked coding (RFC 9112 section 7.1), as a machine that is fed byte by byte and stops at nothing but its own end.

use super::Step;
use crate::http::lex;

/// Bytes of the largest line between chunks: size and extensions. Extensions carry nothing that is used; they are dropped.
const MOST_LINE: usize = 256;

/// Bytes of all trailer lines together. Trailers are dropped: merged into the head, as some readers do, they could say
/// what the head was refused for.
const MOST_TRAILERS: usize = 8 * 1024;

/// What is wrong with a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChunkError {
    /// The size is not 1 to 15 hexadecimal digits, or is followed by something else than an extension or the line's end.
    Size,
    /// The line of the size is too long or holds a control byte.
    Extension,
    /// The data is not followed by CR LF.
    DataEnd,
    /// A trailer line is malformed, or they are too long together.
    Trailer,
}

impl std::fmt::Display for ChunkError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ChunkError::Size => "the size of a chunk is not 1 to 15 hexadecimal digits",
            ChunkError::Extension => "the extension of a chunk is too long or holds a control byte",
            ChunkError::DataEnd => "the data of a chunk is not followed by CR LF",
            ChunkError::Trailer => "the trailers are malformed or too long",
        })
    }
}

impl std::error::Error for ChunkError {}

/// Where in a chunked body the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// In the digits of a size: value and digits so far, and the line's length.
    Size { value: u64, digits: usize },
    /// In an extension, so many bytes into the line.
    Extension { value: u64, line: usize },
    /// After the CR of a size line.
    SizeEnd { value: u64 },
    /// In the data: so many bytes are left.
    Data { left: u64 },
    /// After the data: the CR.
    DataCr,
    /// After the data: the LF.
    DataLf,
    /// At the beginning of a line after the last chunk.
    TrailerStart,
    /// In the name of a trailer; `empty` before its first byte.
    TrailerName,
    /// In the value of a trailer.
    TrailerValue,
    /// After the CR of a trailer.
    TrailerLf,
    /// After the CR of the last empty line.
    LastLf,
    /// Over.
    Done,
}

/// A chunked body that is being read.
#[derive(Debug)]
pub(crate) struct Chunks {
    at: At,
    trailers: usize,
}

impl Default for Chunks {
    fn default() -> Chunks {
        Chunks { at: At::Size { value: 0, digits: 0 }, trailers: 0 }
    }
}

impl Chunks {
    /// See [`Body::step`](super::Body::step).
    pub(crate) fn step(&mut self, bytes: &[u8]) -> Result<Step, ChunkError> {
        for (skip, byte) in bytes.iter().enumerate() {
            if let At::Data { left } = self.at {
                let here = bytes.len().saturating_sub(skip);
                let data = usize::try_from(left).unwrap_or(usize::MAX).min(here);
                let left = left - data as u64;
                self.at = if left == 0 { At::DataCr } else { At::Data { left } };
                return Ok(Step::Data { skip, data });
            }
            self.at = self.after(*byte)?;
            if self.at == At::Done {
                return Ok(Step::End(skip + 1));
            }
        }
        Ok(if self.at == At::Done { Step::End(0) } else { Step::More(bytes.len()) })
    }

    /// The state after one byte that is not data.
    fn after(&mut self, byte: u8) -> Result<At, ChunkError> {
        match self.at {
            At::Size { value, digits } => match (char::from(byte).to_digit(16), byte) {
                (Some(digit), _) if digits < 15 => {
                    Ok(At::Size { value: value * 16 + u64::from(digit), digits: digits + 1 })
                }
                (None, b'\r') if digits > 0 => Ok(At::SizeEnd { value }),
                (None, b';') if digits > 0 => Ok(At::Extension { value, line: digits + 1 }),
                _ => Err(ChunkError::Size),
            },
            At::Extension { value, .. } if byte == b'\r' => Ok(At::SizeEnd { value }),
            At::Extension { value, line } if line < MOST_LINE && lex::is_value_byte(byte) => {
                Ok(At::Extension { value, line: line + 1 })
            }
            At::Extension { .. } => Err(ChunkError::Extension),
            At::SizeEnd { value } if byte == b'\n' => {
                Ok(if value == 0 { At::TrailerStart } else { At::Data { left: value } })
            }
            At::SizeEnd { .. } => Err(ChunkError::Size),
            At::DataCr if byte == b'\r' => Ok(At::DataLf),
            At::DataLf if byte == b'\n' => Ok(At::Size { value: 0, digits: 0 }),
            At::Data { .. } | At::DataCr | At::DataLf => Err(ChunkError::DataEnd),
            At::TrailerStart if byte == b'\r' => Ok(At::LastLf),
            At::LastLf if byte == b'\n' => Ok(At::Done),
            At::Done => Ok(At::Done),
            _ => self.after_trailer(byte),
        }
    }

    /// The same, within trailers.
    fn after_trailer(&mut self, byte: u8) -> Result<At, ChunkError> {
        self.trailers += 1;
        if self.trailers > MOST_TRAILERS {
            return Err(ChunkError::Trailer);
        }
        match (self.at, byte) {
            (At::TrailerStart | At::TrailerName, byte) if lex::is_token_byte(byte) => Ok(At::TrailerName),
            (At::TrailerName, b':') => Ok(At::TrailerValue),
            (At::TrailerValue, b'\r') => Ok(At::TrailerLf),
            (At::TrailerValue, byte) if lex::is_value_byte(byte) => Ok(At::TrailerValue),
            (At::TrailerLf, b'\n') => Ok(At::TrailerStart),
            _ => Err(ChunkError::Trailer),
        }
    }
}

#[cfg(test)]
mod tests;
