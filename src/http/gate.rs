//! The gate between a connection and the WebSocket library: it reads the *headers* of a client's frames and lets nothing through
//! that breaks RFC 6455 or a limit.
//!
//! The library looks at a declared length only when all of the data is there, reports reserved bits as it reports bad UTF-8 and then
//! reads the same bytes again, and keeps a handle for each piece of a message. Behind the gate none of this can be reached: what it
//! lets through is well formed, of a bounded size and in a bounded number of pieces. It does no I/O.

use bytes::{Buf, Bytes, BytesMut};

/// Memory that the library takes for a piece of an unfinished message besides the piece itself: a handle of 32 bytes in a list that
/// doubles as it grows, an allocation of its own, the counter that its handles share, and what the allocator wastes between them.
/// Measured with pieces of one byte: less than 400 bytes each, with the buffers of the connection.
pub const PIECE_BYTES: usize = 320;

/// Payload of a control frame at the most (RFC 6455 §5.5).
const CONTROL_BYTES: u64 = 125;

/// Bits of a frame's first two bytes (RFC 6455 §5.2).
const FIN: u8 = 0x80;
const RESERVED: u8 = 0x70;
const OPCODE: u8 = 0x0f;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7f;

const MASK_BYTES: usize = 4;

/// Why nothing more is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// The bytes are not WebSocket; the sentence says in what way.
    Protocol(&'static str),
    /// The reason of a close frame is not UTF-8.
    NotUtf8,
    /// A message is longer than one may be.
    TooLarge,
    /// A message comes in more pieces than one may.
    TooManyPieces,
}

/// A connection's gate.
#[derive(Debug)]
pub struct Gate {
    /// Bytes of a message at the most.
    most_bytes: usize,
    /// Frames of a message at the most.
    most_pieces: usize,
    place: Place,
    /// The message of which not all frames have come, without the frame that is coming.
    unfinished: Option<Message>,
    /// The frames of the last data message that was let through whole.
    pieces: usize,
}

/// Where in the stream the gate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the beginning of a frame, or inside of a header.
    Header,
    /// Inside of a frame's payload, of which `left` is still to come.
    Payload {
        header: Header,
        left: usize,
    },
    /// Behind a whole close frame: whatever comes is thrown away (RFC 6455 §5.5.1).
    Closed,
    Stopped(Violation),
}

/// What of a fragmented message has come.
#[derive(Debug, Clone, Copy, Default)]
struct Message {
    bytes: usize,
    pieces: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opcode {
    Continuation,
    /// Text or binary.
    Data,
    Close,
    /// Ping or pong.
    Signal,
}

/// A whole header that breaks no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    /// Its own length, the mask included.
    bytes: usize,
    is_last: bool,
    opcode: Opcode,
    payload: usize,
}

impl Gate {
    pub fn new(frame_bytes: usize) -> Gate {
        Gate {
            most_bytes: frame_bytes,
            most_pieces: most_pieces(frame_bytes),
            place: Place::Header,
            unfinished: None,
            pieces: 0,
        }
    }

    /// Takes from `input` what may pass now: of one frame at the most, its header whole or not at all, and a close frame whole or not
    /// at all. `None` where more is needed; what is left in `input` then, a header or close frame that is not whole, has less than
    /// 131 bytes. Whatever pieces the input comes in, the same is let through before the same violation.
    ///
    /// # Errors
    /// The first [`Violation`], again and again.
    pub fn pass(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, Violation> {
        match self.place {
            Place::Header => self.pass_header(input).inspect_err(|violation| self.place = Place::Stopped(*violation)),
            Place::Payload { header, left } => {
                let now = left.min(input.len());
                if now == 0 {
                    return Ok(None);
                }
                self.go_to(header, left - now);
                Ok(Some(take(input, now)))
            }
            Place::Closed => {
                input.clear();
                Ok(None)
            }
            Place::Stopped(violation) => Err(violation),
        }
    }

    /// Whether all that was let through is whole frames.
    pub fn is_between_frames(&self) -> bool {
        !matches!(self.place, Place::Payload { .. })
    }

    /// Memory that holds what was let through of a message or frame that is not whole yet: its bytes, and what its pieces cost.
    pub fn partial_bytes(&self) -> usize {
        let frame = match self.place {
            Place::Payload { header, left } => header.payload - left + PIECE_BYTES,
            Place::Header | Place::Closed | Place::Stopped(_) => 0,
        };
        self.unfinished.map_or(0, |message| message.bytes + message.pieces * PIECE_BYTES) + frame
    }

    /// The number of frames in which the last whole text or binary message came.
    pub fn pieces(&self) -> usize {
        self.pieces
    }

    fn pass_header(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, Violation> {
        let Some(header) = self.header(input)? else { return Ok(None) };
        let Header { bytes, payload, .. } = header;
        if header.opcode == Opcode::Close {
            if input.len() < bytes + payload {
                return Ok(None);
            }
            check_close(&input[bytes - MASK_BYTES..bytes + payload])?;
            self.place = Place::Closed;
            return Ok(Some(take(input, bytes + payload)));
        }
        let now = payload.min(input.len() - bytes);
        self.go_to(header, payload - now);
        Ok(Some(take(input, bytes + now)))
    }

    /// Steps to where so many bytes of a frame's payload are left.
    fn go_to(&mut self, header: Header, left: usize) {
        if left > 0 {
            self.place = Place::Payload { header, left };
        } else {
            self.place = Place::Header;
            self.count(header);
        }
    }

    /// Reads a header as far as it has come: what is wrong with it is known with the first byte that says so.
    fn header(&self, input: &[u8]) -> Result<Option<Header>, Violation> {
        let Some(&first) = input.first() else { return Ok(None) };
        let is_last = first & FIN != 0;
        let opcode = self.opcode(first)?;
        let Some(&second) = input.get(1) else { return Ok(None) };
        if second & MASKED == 0 {
            return Err(Violation::Protocol("a client's frame must be masked"));
        }
        let Some((length_bytes, length)) = declared(second & LENGTH, &input[2..])? else { return Ok(None) };
        self.check_length(opcode, length)?;
        let bytes = 2 + length_bytes + MASK_BYTES;
        // No more than `most_bytes` by now.
        let payload = usize::try_from(length).map_err(|_| Violation::TooLarge)?;
        Ok((input.len() >= bytes).then_some(Header { bytes, is_last, opcode, payload }))
    }

    /// The first byte: reserved bits, opcode, and whether such a frame may come now.
    fn opcode(&self, first: u8) -> Result<Opcode, Violation> {
        if first & RESERVED != 0 {
            return Err(Violation::Protocol("a reserved bit is set"));
        }
        let opcode = match first & OPCODE {
            0x0 => Opcode::Continuation,
            0x1 | 0x2 => Opcode::Data,
            0x8 => Opcode::Close,
            0x9 | 0xa => Opcode::Signal,
            _ => return Err(Violation::Protocol("there is no such opcode")),
        };
        match (opcode, self.unfinished) {
            (Opcode::Continuation, None) => Err(Violation::Protocol("nothing is there to continue")),
            (Opcode::Data, Some(_)) => Err(Violation::Protocol("a message begins inside of another")),
            (Opcode::Close | Opcode::Signal, _) if first & FIN == 0 => {
                Err(Violation::Protocol("a control frame must not be fragmented"))
            }
            (Opcode::Continuation, Some(message)) if message.pieces >= self.most_pieces => {
                Err(Violation::TooManyPieces)
            }
            _ => Ok(opcode),
        }
    }

    fn check_length(&self, opcode: Opcode, length: u64) -> Result<(), Violation> {
        match opcode {
            Opcode::Continuation | Opcode::Data => {
                let before = self.unfinished.map_or(0, |message| message.bytes);
                if length > (self.most_bytes - before) as u64 { Err(Violation::TooLarge) } else { Ok(()) }
            }
            Opcode::Close | Opcode::Signal if length > CONTROL_BYTES => {
                Err(Violation::Protocol("a control frame has at most 125 bytes"))
            }
            Opcode::Close if length == 1 => Err(Violation::Protocol("half a close code")),
            Opcode::Close | Opcode::Signal => Ok(()),
        }
    }

    /// Counts a frame that was let through whole.
    fn count(&mut self, header: Header) {
        let Header { is_last, opcode: Opcode::Continuation | Opcode::Data, payload, .. } = header else { return };
        let mut message = self.unfinished.take().unwrap_or_default();
        message.pieces += 1;
        message.bytes += payload;
        if is_last {
            self.pieces = message.pieces;
        } else {
            self.unfinished = Some(message);
        }
    }
}

/// Frames in which a message may come: what they cost stays small beside what the message itself may be.
pub fn most_pieces(frame_bytes: usize) -> usize {
    64 + frame_bytes / 1024
}

/// The length that a header declares, and how many bytes say so after the second; `None` where they have not come.
fn declared(short: u8, rest: &[u8]) -> Result<Option<(usize, u64)>, Violation> {
    let (bytes, length, least) = match short {
        126 => {
            let Some(&long) = rest.first_chunk() else { return Ok(None) };
            (2, u64::from(u16::from_be_bytes(long)), 126)
        }
        127 => {
            let Some(&long) = rest.first_chunk() else { return Ok(None) };
            (8, u64::from_be_bytes(long), 1 << 16)
        }
        short => (0, u64::from(short), 0),
    };
    if length < least {
        return Err(Violation::Protocol("a length is not written in the shortest way"));
    }
    if length > i64::MAX as u64 {
        return Err(Violation::Protocol("a length has 63 bits"));
    }
    Ok(Some((bytes, length)))
}

/// Checks the code and the reason of a close frame, from its mask on.
fn check_close(masked: &[u8]) -> Result<(), Violation> {
    let (mask, payload) = masked.split_at(MASK_BYTES);
    let payload: Vec<u8> = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    let Some((code, reason)) = payload.split_first_chunk() else { return Ok(()) };
    // RFC 6455 §7.4 and the registry that it founds; the others must not be sent.
    if !matches!(u16::from_be_bytes(*code), 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::Protocol("there is no such close code"));
    }
    std::str::from_utf8(reason).map(|_| ()).map_err(|_| Violation::NotUtf8)
}

/// Takes so many bytes as a copy of their own: a slice of what was read would keep all of that in memory, and a message in pieces
/// with pings between them the whole conversation.
fn take(input: &mut BytesMut, count: usize) -> Bytes {
    let taken = Bytes::copy_from_slice(&input[..count]);
    input.advance(count);
    taken
}

#[cfg(test)]
mod tests;
