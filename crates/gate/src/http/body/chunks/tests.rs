use proptest::prelude::*;

use super::*;
use crate::http::body::Body;
use crate::http::framing::Framing;

/// The body, and how many bytes it took, that a reader finds that gets the bytes in pieces of this size; none if it does not end.
fn read(bytes: &[u8], piece: usize) -> Result<Option<(Vec<u8>, usize)>, ChunkError> {
    let mut body = Body::new(Framing::Chunked);
    let (mut out, mut start, mut end) = (Vec::new(), 0, 0);
    loop {
        match body.step(&bytes[start..end])? {
            Step::Data { skip, data } => {
                start += skip;
                assert!(data > 0);
                out.extend_from_slice(&bytes[start..start + data]);
                start += data;
            }
            Step::End(skip) => return Ok(Some((out, start + skip))),
            Step::More(skip) => {
                start += skip;
                if end == bytes.len() {
                    return Ok(None);
                }
                end = end.saturating_add(piece).min(bytes.len());
            }
        }
    }
}

#[test]
fn chunks_are_joined_and_what_follows_is_left() {
    let text = b"4\r\nWiki\r\n5;a=b;c=\"d\"\r\npedia\r\nE\r\n in\r\n\r\nchunks.\r\n0;x\r\nTrailer: value\r\nOther:\r\n\r\nnext";
    let (body, used) = read(text, 3).unwrap().unwrap();
    assert_eq!(String::from_utf8(body).unwrap(), "Wikipedia in\r\n\r\nchunks.");
    assert_eq!(&text[used..], b"next");
}

#[test]
fn chunks_that_two_readers_could_cut_differently_are_refused() {
    let table = [
        ("\r\n", ChunkError::Size),
        (" 5\r\nhello\r\n", ChunkError::Size),
        ("5 \r\nhello\r\n", ChunkError::Size),
        ("5\nhello\r\n", ChunkError::Size),
        ("5\r\r\nhello\r\n", ChunkError::Size),
        ("0x5\r\nhello\r\n", ChunkError::Size),
        ("+5\r\nhello\r\n", ChunkError::Size),
        ("-1\r\n", ChunkError::Size),
        ("1000000000000000\r\n", ChunkError::Size),
        ("5;a\nb\r\nhello\r\n", ChunkError::Extension),
        ("5;a\0\r\nhello\r\n", ChunkError::Extension),
        ("5\r\nhello0\r\n", ChunkError::DataEnd),
        ("5\r\nhello\n0\r\n", ChunkError::DataEnd),
        ("5\r\nhello\r0\r\n", ChunkError::DataEnd),
        ("0\r\nTrailer : a\r\n\r\n", ChunkError::Trailer),
        ("0\r\nTrailer: a\n\r\n", ChunkError::Trailer),
        ("0\r\n folded\r\n\r\n", ChunkError::Trailer),
        ("0\r\nno colon\r\n\r\n", ChunkError::Trailer),
        ("0\r\n\n", ChunkError::Trailer),
    ];
    for (text, error) in table {
        for piece in [1, usize::MAX] {
            assert_eq!(read(text.as_bytes(), piece), Err(error), "{text:?}");
        }
    }
}

#[test]
fn lines_between_chunks_are_bounded() {
    let extension = |bytes: usize| format!("1;{}\r\nx\r\n0\r\n\r\n", "a".repeat(bytes));
    assert!(read(extension(MOST_LINE - 2).as_bytes(), usize::MAX).unwrap().is_some());
    assert_eq!(read(extension(MOST_LINE).as_bytes(), usize::MAX), Err(ChunkError::Extension));
    let trailers = format!("0\r\n{}\r\n", "a: b\r\n".repeat(MOST_TRAILERS / 6 + 1));
    assert_eq!(read(trailers.as_bytes(), usize::MAX), Err(ChunkError::Trailer));
}

/// Bytes that are chunks, nearly, or not at all.
fn nearly_chunks() -> impl Strategy<Value = Vec<u8>> {
    let good = proptest::collection::vec(any::<u8>(), 1..20)
        .prop_map(|data| [format!("{:x}\r\n", data.len()).into_bytes(), data, b"\r\n".to_vec()].concat());
    let part = prop_oneof![
        4 => good,
        1 => Just(b"0\r\n\r\n".to_vec()),
        1 => Just(b"0\r\nA: b\r\n".to_vec()),
        1 => Just(b"3;x=y\r\nabc\r\n".to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn the_pieces_in_which_chunks_arrive_do_not_matter(bytes in nearly_chunks()) {
        let whole = read(&bytes, usize::MAX);
        for piece in 1..=bytes.len().max(1) {
            prop_assert_eq!(read(&bytes, piece), whole.clone());
        }
    }

    #[test]
    fn what_was_cut_into_chunks_comes_back(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..6)) {
        let mut bytes = Vec::new();
        for piece in &pieces {
            bytes.extend_from_slice(format!("{:X}\r\n", piece.len()).as_bytes());
            bytes.extend_from_slice(piece);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
        prop_assert_eq!(read(&bytes, 7), Ok(Some((pieces.concat(), bytes.len()))));
    }
}
