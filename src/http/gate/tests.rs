use super::*;

const FRAME_BYTES: usize = 8192;

/// A client's frame, masked, its length written in the shortest way.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x12, 0x34, 0x56, 0x78];
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..126 => frame.push(MASKED | short as u8),
        long => {
            frame.push(MASKED | 126);
            frame.extend((long as u16).to_be_bytes());
        }
    }
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// What a gate lets through of these pieces of a stream, and the violation that stops it.
fn through<'a>(gate: &mut Gate, pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<u8>, Option<Violation>) {
    let (mut waiting, mut passed) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        waiting.extend_from_slice(piece);
        loop {
            match gate.pass(&mut waiting) {
                Ok(Some(bytes)) => passed.extend_from_slice(&bytes),
                Ok(None) => break,
                Err(violation) => return (passed, Some(violation)),
            }
        }
        assert!(waiting.len() < 131, "{} bytes wait", waiting.len());
    }
    (passed, None)
}

/// So many of the first bytes are let through, and then that happens, whole and a byte at a time.
#[track_caller]
fn check(input: &[u8], passed: usize, violation: Option<Violation>) {
    for cut in [1, 2, 3, 7, usize::MAX] {
        let (got, why) = through(&mut Gate::new(FRAME_BYTES), input.chunks(cut.min(input.len().max(1))));
        assert_eq!((got.len(), why), (passed, violation), "cut into pieces of {cut}");
        assert_eq!(got, input[..passed]);
    }
}

#[track_caller]
fn breaks(first: &[u8]) {
    let whole = frame(0x81, b"before");
    for before in [vec![], whole.clone(), [whole, frame(0x89, b"")].concat()] {
        let input = [before.as_slice(), first, &frame(0x81, b"never read")].concat();
        let (passed, violation) = through(&mut Gate::new(FRAME_BYTES), input.chunks(1));
        assert!(matches!(violation, Some(Violation::Protocol(_))), "{violation:?}");
        assert_eq!(passed, before);
        check(&input, before.len(), violation);
    }
}

#[test]
fn well_formed_frames_pass_unchanged() {
    let input = [
        frame(0x81, b"text"),
        frame(0x82, &[0xff; 200]),
        frame(0x89, b"ping"),
        frame(0x8a, &[0; 125]),
        frame(0x01, b""),
        frame(0x80, &[b'x'; FRAME_BYTES]),
        frame(0x81, &[0xff, 0xfe]),
        frame(0x88, b"\x03\xe8bye"),
    ]
    .concat();
    check(&input, input.len(), None);
}

#[test]
fn a_message_may_be_as_long_as_the_limit_in_one_piece_and_in_many() {
    let half = [b'x'; FRAME_BYTES / 2];
    let fits = [frame(0x01, &half), frame(0x89, b"between"), frame(0x80, &half)].concat();
    check(&[fits.clone(), fits].concat(), 2 * (2 * FRAME_BYTES / 2 + 2 * 8 + 13), None);
    check(&frame(0x82, &[0; FRAME_BYTES + 1]), 0, Some(Violation::TooLarge));
    let begun = [frame(0x01, &half), frame(0x00, &half)].concat();
    check(&[begun.clone(), frame(0x80, b"x")].concat(), begun.len(), Some(Violation::TooLarge));
    check(&[begun.clone(), frame(0x80, b"")].concat(), begun.len() + 6, None);
}

#[test]
fn a_length_beyond_the_limit_is_told_before_its_data_and_its_mask_have_come() {
    for first in [0x81, 0x82, 0x01, 0x02] {
        for length in [FRAME_BYTES as u64 * 9, 1 << 40, i64::MAX as u64] {
            let header = [&[first, 0xff][..], &length.to_be_bytes()].concat();
            check(&header, 0, Some(Violation::TooLarge));
            check(&header[..9], 0, None);
        }
    }
}

#[test]
fn a_message_in_too_many_pieces_is_stopped_with_the_first_byte_of_the_first_too_many() {
    let most = most_pieces(FRAME_BYTES);
    for piece in [&b""[..], b"x"] {
        let whole = [vec![frame(0x01, piece)], vec![frame(0x00, piece); most - 2], vec![frame(0x80, piece)]].concat();
        let whole = whole.concat();
        check(&[whole.clone(), whole.clone()].concat(), 2 * whole.len(), None);
        let begun = [vec![frame(0x01, piece)], vec![frame(0x00, piece); most - 1]].concat().concat();
        check(&begun, begun.len(), None);
        check(&[&begun[..], &[0x80]].concat(), begun.len(), Some(Violation::TooManyPieces));
        check(&[&begun[..], &frame(0x89, b"")].concat(), begun.len() + 6, None);
    }
}

#[test]
fn what_breaks_the_rfc_stops_at_its_header() {
    for reserved in [0x10, 0x20, 0x40, 0x70] {
        for opcode in 0..16 {
            breaks(&frame(0x80 | reserved | opcode, b""));
            breaks(&frame(reserved | opcode, b"x"));
        }
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        breaks(&frame(0x80 | opcode, b"x"));
    }
    for control in [0x08, 0x09, 0x0a] {
        breaks(&frame(control, b""));
        breaks(&frame(0x80 | control, &[0; 126]));
    }
    breaks(&frame(0x80, b"nothing to continue"));
    breaks(&frame(0x00, b"nothing to continue"));
    breaks(&[0x81, 0x01, b'x']);
    breaks(&[0x89, 0x00]);
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535_u16] {
        breaks(&frame(0x88, &code.to_be_bytes()));
    }
    breaks(&frame(0x88, b"x"));
}

#[test]
fn a_length_not_in_its_shortest_form_or_of_64_bits_breaks_the_rfc() {
    for first in [0x81, 0x82, 0x89, 0x88] {
        breaks(&[first, 0xfe, 0, 125]);
        breaks(&[first, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);
        breaks(&[first, 0xff, 0, 0, 0, 0, 0, 0, 0, 1]);
        breaks(&[first, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]);
    }
}

#[test]
fn a_message_inside_of_another_breaks_the_rfc() {
    for first in [0x01, 0x02] {
        for second in [0x81, 0x82, 0x01, 0x02, 0x91, 0xc0, 0xa9] {
            let begun = [frame(first, b"begun"), frame(0x8a, b"")].concat();
            let input = [begun.clone(), frame(second, b"")].concat();
            let (passed, violation) = through(&mut Gate::new(FRAME_BYTES), input.chunks(1));
            assert!(matches!(violation, Some(Violation::Protocol(_))), "{violation:?}");
            assert_eq!(passed, begun);
            check(&input, begun.len(), violation);
        }
    }
}

#[test]
fn a_close_with_a_reason_that_is_not_utf_8_is_named_so() {
    check(&frame(0x88, b"\x03\xe8\xff"), 0, Some(Violation::NotUtf8));
    check(&frame(0x88, b"\x03\xe8\xf0\x9f\x98"), 0, Some(Violation::NotUtf8));
    let fine = frame(0x88, &[b"\x03\xe8", "né".as_bytes()].concat());
    check(&fine, fine.len(), None);
}

#[test]
fn nothing_passes_after_a_close() {
    let close = frame(0x88, b"");
    check(&[close.clone(), frame(0x81, b"more"), vec![0xff; 40]].concat(), close.len(), None);
}

#[test]
fn what_is_unfinished_is_counted_with_what_its_pieces_cost() {
    let mut gate = Gate::new(FRAME_BYTES);
    let mut feed = |bytes: &[u8]| {
        through(&mut gate, std::iter::once(bytes));
        gate.partial_bytes()
    };
    assert_eq!(feed(&frame(0x81, b"whole")), 0);
    assert_eq!(feed(&frame(0x01, b"abc")), 3 + PIECE_BYTES);
    assert_eq!(feed(&frame(0x89, b"ping")), 3 + PIECE_BYTES);
    let last = frame(0x80, b"defg");
    let (some, rest) = last.split_at(8);
    let partial = feed(some);
    assert_eq!(partial, 3 + PIECE_BYTES + 2 + PIECE_BYTES);
    assert_eq!(feed(rest), 0);
    assert_eq!(gate.pieces(), 2);
}
