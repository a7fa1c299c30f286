//! A plain second reading of RFC 6455, from its words and not from the gate: slow, of a whole input at once.

use runpen::fuzzing::Violation;

/// How a gate should have read an input.
#[derive(Debug, PartialEq, Eq)]
pub struct Reading {
    /// How many of the first bytes may pass.
    pub passes: usize,
    /// What stands where nothing more may; the sentence is left to the gate.
    pub stop: Option<Stop>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    Protocol,
    NotUtf8,
    TooLarge,
    TooManyPieces,
}

impl From<Violation> for Stop {
    fn from(violation: Violation) -> Stop {
        match violation {
            Violation::Protocol(sentence) => {
                assert!(!sentence.is_empty() && sentence.len() <= 123, "a close frame must hold it: {sentence}");
                Stop::Protocol
            }
            Violation::NotUtf8 => Stop::NotUtf8,
            Violation::TooLarge => Stop::TooLarge,
            Violation::TooManyPieces => Stop::TooManyPieces,
        }
    }
}

/// Why a reading goes no further.
enum Ends {
    Stops(Stop),
    /// The input does: with so many more of its bytes passed.
    Short(usize),
}

/// The bits of an input, as the figure in §5.2 has them.
struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// The next so many bits as a number.
    fn next(&mut self, count: usize) -> Result<u64, Ends> {
        let mut number = 0;
        for _ in 0..count {
            let byte = self.data.get(self.at / 8).ok_or(Ends::Short(0))?;
            number = number << 1 | u64::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Ok(number)
    }
}

/// Reads a client's bytes, for messages of at most `most_bytes` in at most `most_frames`.
pub fn read(data: &[u8], most_bytes: u64, most_frames: u64) -> Reading {
    let mut passes = 0;
    // The length of each frame of the message that is not whole.
    let mut message: Vec<u64> = Vec::new();
    loop {
        match read_frame(&data[passes..], &mut message, most_bytes, most_frames) {
            Ok((bytes, false)) => passes += bytes,
            // A close frame is the last; whatever follows does not pass.
            Ok((bytes, true)) => return Reading { passes: passes + bytes, stop: None },
            Err(Ends::Short(bytes)) => return Reading { passes: passes + bytes, stop: None },
            Err(Ends::Stops(stop)) => return Reading { passes, stop: Some(stop) },
        }
    }
}

/// The length of the frame that begins the data, and whether it is a close frame.
fn read_frame(data: &[u8], message: &mut Vec<u64>, most_bytes: u64, most_frames: u64) -> Result<(usize, bool), Ends> {
    let wrong = |is_wrong: bool| if is_wrong { Err(Ends::Stops(Stop::Protocol)) } else { Ok(()) };
    let mut bits = Bits { data, at: 0 };
    let fin = bits.next(1)? == 1;
    wrong(bits.next(3)? != 0)?;
    let opcode = bits.next(4)?;
    let is_control = opcode >= 8;
    wrong(!matches!(opcode, 0 | 1 | 2 | 8 | 9 | 10))?;
    wrong(is_control && !fin)?;
    wrong(opcode == 0 && message.is_empty())?;
    wrong((opcode == 1 || opcode == 2) && !message.is_empty())?;
    if opcode == 0 && message.len() as u64 == most_frames {
        return Err(Ends::Stops(Stop::TooManyPieces));
    }
    wrong(bits.next(1)? == 0)?;
    let length = match bits.next(7)? {
        126 => {
            let length = bits.next(16)?;
            wrong(length <= 125)?;
            length
        }
        127 => {
            let length = bits.next(64)?;
            wrong(length <= 0xffff || length >> 63 == 1)?;
            length
        }
        length => length,
    };
    wrong(is_control && length > 125)?;
    wrong(opcode == 8 && length == 1)?;
    if !is_control && message.iter().sum::<u64>() + length > most_bytes {
        return Err(Ends::Stops(Stop::TooLarge));
    }
    let mask = bits.next(32)?.to_be_bytes();
    let header = bits.at / 8;
    let payload = &data[header..];
    let length = length as usize;
    if payload.len() < length {
        // A close frame passes as a whole.
        return Err(Ends::Short(if opcode == 8 { 0 } else { data.len() }));
    }
    if opcode == 8 && length > 0 {
        let plain: Vec<u8> = (0..length).map(|index| payload[index] ^ mask[4 + index % 4]).collect();
        let code = u32::from(plain[0]) * 256 + u32::from(plain[1]);
        let is_defined = (1000..1015).contains(&code) && ![1004, 1005, 1006].contains(&code);
        wrong(!is_defined && !(3000..5000).contains(&code))?;
        if String::from_utf8(plain[2..].to_vec()).is_err() {
            return Err(Ends::Stops(Stop::NotUtf8));
        }
    }
    if !is_control {
        message.push(length as u64);
        if fin {
            message.clear();
        }
    }
    Ok((header + length, opcode == 8))
}
