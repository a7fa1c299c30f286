//! The server's end of a worker's socket: frames in, frames out, nothing ever blocks.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream as ParkedStream;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use rustix::net::{RecvFlags, SendFlags};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;

use crate::ipc::{self, FrameError, HostMessage, MAX_FRAME_BYTES, WorkerMessage};

/// Bytes that may wait for a worker that does not read. Two of the largest frames: a session has at most one run on its way,
/// and what comes besides are interrupts of a few bytes.
pub const MAX_OUTBOX_BYTES: usize = 2 * (MAX_FRAME_BYTES + ipc::HEADER_BYTES);

/// Bytes taken in one read, on the stack of the thread that reads. Large enough that a flood of console lines costs few system
/// calls; it costs an idle lease nothing.
const READ_BYTES: usize = 64 << 10;

/// A worker's socket with what is half read and half written.
///
/// An empty buffer holds no memory: of ten thousand sessions nearly all are idle, and a buffer costs one allocation when there
/// is something to put into it.
pub(super) struct Link {
    stream: Stream,
    inbox: BytesMut,
    outbox: BytesMut,
    /// The worker's end is closed for writing. What it had said before can still be read.
    write_closed: bool,
}

/// Where the socket is known.
enum Stream {
    /// To no runtime.
    Parked(ParkedStream),
    /// To the runtime of whoever received last: the wake-up must not cross threads.
    Live(UnixStream),
    /// To nobody: registering or parking it failed, or is going on.
    Lost,
}

/// Why nothing more can be had from a worker.
#[derive(Debug, thiserror::Error)]
pub enum GoneCause {
    #[error("its socket is closed")]
    Closed,
    #[error("{0}")]
    BadFrame(#[from] FrameError),
    #[error("it does not read, and {MAX_OUTBOX_BYTES} bytes wait for it")]
    Stalled,
    #[error("its socket failed: {0}")]
    Io(#[source] io::Error),
}

/// What a look at an idle worker's socket finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peeked {
    /// As it should be.
    Quiet,
    /// The worker is gone.
    Closed,
    /// It speaks though nobody asked it.
    Talking,
}

impl Link {
    /// # Errors
    /// When the socket cannot be made non-blocking.
    pub(super) fn new(socket: ParkedStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self {
            stream: Stream::Parked(socket),
            inbox: BytesMut::new(),
            outbox: BytesMut::new(),
            write_closed: false,
        })
    }

    /// Encodes a message and writes what the socket takes now; [`Link::recv`] writes the rest.
    ///
    /// # Errors
    /// `BadFrame` when the message is too large (then nothing was sent and the link is still in step), else the worker is gone.
    pub(super) fn send(&mut self, message: &HostMessage) -> Result<(), GoneCause> {
        if self.write_closed {
            return Err(GoneCause::Closed);
        }
        ipc::encode(message, &mut self.outbox)?;
        self.flush();
        match () {
            () if self.write_closed => Err(GoneCause::Closed),
            () if self.outbox.len() > MAX_OUTBOX_BYTES => Err(GoneCause::Stalled),
            () => Ok(()),
        }
    }

    /// Writes past tokio, because what it remembers of the socket's readiness is empty right after registration.
    fn flush(&mut self) {
        let Some(fd) = self.stream.fd() else { return };
        while !self.outbox.is_empty() {
            match rustix::net::send(fd, &self.outbox, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(sent) => self.outbox.advance(sent),
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => return,
                Err(_) => {
                    self.write_closed = true;
                    break;
                }
            }
        }
        self.outbox = BytesMut::new();
    }

    /// Bytes half read and half written.
    pub(super) fn buffered_bytes(&self) -> usize {
        self.inbox.len() + self.outbox.len()
    }

    /// The next message. Also writes what [`Link::send`] could not. Must run in a tokio runtime with I/O, which then watches the
    /// socket until it is parked.
    ///
    /// # Errors
    /// Every error is final. `Closed` comes after the last whole frame was read.
    ///
    /// # Cancel safety
    /// Safe: half a frame stays in the link.
    pub(super) async fn recv(&mut self) -> Result<WorkerMessage, GoneCause> {
        loop {
            if let Some(message) = ipc::decode(&mut self.inbox)? {
                if self.inbox.is_empty() {
                    self.inbox = BytesMut::new();
                }
                return Ok(message);
            }
            self.enliven().map_err(GoneCause::Io)?;
            std::future::poll_fn(|cx| self.poll_io(cx)).await?;
        }
    }

    /// Writes and reads once; ready when something was read.
    fn poll_io(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), GoneCause>> {
        let Stream::Live(stream) = &mut self.stream else { return Poll::Ready(Err(GoneCause::Closed)) };
        while !self.outbox.is_empty() {
            match Pin::new(&mut *stream).poll_write(cx, &self.outbox) {
                Poll::Ready(Ok(sent)) => {
                    self.outbox.advance(sent);
                    if self.outbox.is_empty() {
                        self.outbox = BytesMut::new();
                    }
                }
                Poll::Ready(Err(_)) => {
                    // Not the end yet: what the worker had said before it died is still to be read.
                    self.write_closed = true;
                    self.outbox = BytesMut::new();
                }
                Poll::Pending => break,
            }
        }
        let mut space = [std::mem::MaybeUninit::uninit(); READ_BYTES];
        let mut space = ReadBuf::uninit(&mut space);
        match Pin::new(stream).poll_read(cx, &mut space) {
            Poll::Ready(Ok(())) if space.filled().is_empty() => Poll::Ready(Err(GoneCause::Closed)),
            Poll::Ready(Ok(())) => {
                self.inbox.extend_from_slice(space.filled());
                Poll::Ready(Ok(()))
            }
            // A peer that died with unread bytes resets the connection; that is its end like any other.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => {
                Poll::Ready(Err(GoneCause::Closed))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(GoneCause::Io(error))),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Registers the socket with the current runtime, unless one has it already.
    fn enliven(&mut self) -> io::Result<()> {
        self.stream = match std::mem::replace(&mut self.stream, Stream::Lost) {
            Stream::Parked(socket) => Stream::Live(UnixStream::from_std(socket)?),
            Stream::Live(stream) => Stream::Live(stream),
            Stream::Lost => return Err(io::ErrorKind::NotConnected.into()),
        };
        Ok(())
    }

    /// Takes the socket away from the runtime that watches it, so that another one can.
    ///
    /// # Errors
    /// When the runtime does not give it up; the link is then of no use.
    pub(super) fn park(&mut self) -> io::Result<()> {
        self.stream = match std::mem::replace(&mut self.stream, Stream::Lost) {
            Stream::Live(stream) => Stream::Parked(stream.into_std()?),
            Stream::Parked(socket) => Stream::Parked(socket),
            Stream::Lost => return Err(io::ErrorKind::NotConnected.into()),
        };
        Ok(())
    }

    /// Whether nothing is half read or half written.
    pub(super) fn is_in_step(&self) -> bool {
        self.inbox.is_empty() && self.outbox.is_empty() && !self.write_closed
    }

    /// Whether an idle worker is still there and silent. One system call, never blocks.
    pub(super) fn peek(&self) -> Peeked {
        let Some(fd) = self.stream.fd() else { return Peeked::Closed };
        let mut byte = [0_u8; 1];
        match rustix::net::recv(fd, &mut byte[..], RecvFlags::PEEK | RecvFlags::DONTWAIT) {
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Peeked::Quiet,
            Err(_) => Peeked::Closed,
            Ok((_, 0)) => Peeked::Closed,
            Ok(_) => Peeked::Talking,
        }
    }
}

impl Stream {
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Stream::Parked(socket) => Some(socket.as_fd()),
            Stream::Live(stream) => Some(stream.as_fd()),
            Stream::Lost => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;
    use crate::ids::RunId;
    use crate::ipc::{HEADER_BYTES, InputKind};

    #[tokio::test]
    async fn an_idle_link_holds_no_buffers_even_after_large_frames() {
        let (ours, mut theirs) = ParkedStream::pair().unwrap();
        let mut link = Link::new(ours).unwrap();
        let text = "x".repeat(3 << 20);
        let answer = HostMessage::InputAnswer { run: RunId(1), text: Some(text.clone()) };
        let request = WorkerMessage::InputRequest { run: RunId(1), kind: InputKind::Prompt, text, default: None };

        link.send(&answer).unwrap();
        assert!(!link.outbox.is_empty(), "more than a socket takes");
        let expected = request.clone();
        let peer = std::thread::spawn(move || {
            let mut header = [0; HEADER_BYTES];
            theirs.read_exact(&mut header).unwrap();
            let mut body = vec![0; u32::from_le_bytes(header) as usize];
            theirs.read_exact(&mut body).unwrap();
            let mut frame = BytesMut::new();
            ipc::encode(&request, &mut frame).unwrap();
            theirs.write_all(&frame).unwrap();
            theirs
        });
        let received = tokio::time::timeout(std::time::Duration::from_secs(10), link.recv()).await;
        assert_eq!(received.expect("in time").unwrap(), expected);
        let _theirs = peer.join().unwrap();

        assert!(link.is_in_step());
        assert_eq!((link.inbox.capacity(), link.outbox.capacity()), (0, 0));
        link.park().unwrap();
        assert_eq!(link.peek(), Peeked::Quiet);
    }

    #[test]
    fn a_look_at_the_socket_tells_silence_talk_and_death_apart() {
        let (ours, mut theirs) = ParkedStream::pair().unwrap();
        let link = Link::new(ours).unwrap();
        assert_eq!(link.peek(), Peeked::Quiet);
        theirs.write_all(b"x").unwrap();
        assert_eq!(link.peek(), Peeked::Talking);
        drop(theirs);
        assert_eq!(link.peek(), Peeked::Talking, "it had talked before it died");

        let (ours, theirs) = ParkedStream::pair().unwrap();
        drop(theirs);
        assert_eq!(Link::new(ours).unwrap().peek(), Peeked::Closed);
    }
}
