//! The worker's end of the socket: frames in, frames out, and what to do when the server does not read.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::Stdin;
use std::os::fd::AsFd;
use std::time::Instant;

use bytes::{Buf, BytesMut};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

use super::exit::{self, Exit};
use crate::ipc::{self, HostMessage, WorkerMessage};

/// Read from the socket in one go. Most frames are far smaller, and a large one only takes a few more calls.
const READ_BYTES: usize = 16 << 10;

/// Unsent bytes above which console output waits for the server instead of piling up here. Two full console batches.
const HIGH_WATER_BYTES: usize = 64 << 10;

/// The socket with its buffers. Any loss of step, on either side, ends the process: there is nobody left to work for.
pub struct Wire {
    socket: Stdin,
    input: RefCell<BytesMut>,
    chunk: RefCell<Box<[u8; READ_BYTES]>>,
    output: RefCell<BytesMut>,
    /// Since the last call that read; interrupt checks come far more often than a cancel could matter.
    last_read: Cell<Option<Instant>>,
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// Frames may have arrived, or the output has drained: look again.
    Ready,
    TimedOut,
}

impl Wire {
    /// Takes the socket that the spawner put in the place of standard input.
    pub fn new() -> Wire {
        Wire {
            socket: std::io::stdin(),
            input: RefCell::default(),
            chunk: RefCell::new(Box::new([0; READ_BYTES])),
            output: RefCell::default(),
            last_read: Cell::new(None),
        }
    }

    /// When the socket was last looked at.
    pub fn last_read(&self) -> Option<Instant> {
        self.last_read.get()
    }

    /// Takes what has arrived, without blocking, and appends the whole frames to `inbox`.
    pub fn read_into(&self, inbox: &mut VecDeque<HostMessage>, now: Instant) {
        self.last_read.set(Some(now));
        let mut input = self.input.borrow_mut();
        let mut chunk = self.chunk.borrow_mut();
        loop {
            match rustix::net::recv(self.socket.as_fd(), &mut chunk[..], RecvFlags::DONTWAIT) {
                Ok((_, 0)) => exit::now(Exit::Orphaned),
                Ok((_, count)) => {
                    input.extend_from_slice(&chunk[..count]);
                    if count < READ_BYTES {
                        break;
                    }
                }
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(_) => exit::now(Exit::Orphaned),
            }
        }
        loop {
            match ipc::decode(&mut input) {
                Ok(Some(message)) => inbox.push_back(message),
                Ok(None) => break,
                Err(_) => exit::now(Exit::OutOfStep),
            }
        }
    }

    /// Adds a frame to the output and sends what can be sent without blocking.
    pub fn send(&self, message: &WorkerMessage) {
        // The caps on text and JSON keep every message below the frame cap; one that is not would be a fault of this program.
        if ipc::encode(message, &mut self.output.borrow_mut()).is_err() {
            exit::now(Exit::OutOfStep);
        }
        self.flush();
    }

    /// Sends what can be sent without blocking.
    pub fn flush(&self) {
        let mut output = self.output.borrow_mut();
        while !output.is_empty() {
            match rustix::net::send(self.socket.as_fd(), &output, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(count) => output.advance(count),
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR) => {}
                Err(_) => exit::now(Exit::Orphaned),
            }
        }
    }

    /// Whether everything has been handed to the kernel.
    pub fn is_flushed(&self) -> bool {
        self.output.borrow().is_empty()
    }

    /// Blocks while the server lags so far behind that output which can wait should, until it reads on, something has arrived or
    /// `until` has passed. Whoever calls this may have looked at the socket, and so have sent what was waiting, since it last asked
    /// whether there is congestion: waiting then would be for nobody.
    pub fn wait_for_room(&self, until: Option<Instant>) {
        if self.is_congested() {
            self.wait(until);
        }
    }

    /// Whether the server lags so far behind that output which can wait should.
    pub fn is_congested(&self) -> bool {
        self.output.borrow().len() > HIGH_WATER_BYTES
    }

    /// Blocks until there is something to read, or unsent output can move, or `until` has passed. `None` waits for ever.
    pub fn wait(&self, until: Option<Instant>) -> Woken {
        let mut interest = PollFlags::IN;
        if !self.is_flushed() {
            interest |= PollFlags::OUT;
        }
        loop {
            let timeout = until.map(|until| {
                let left = until.saturating_duration_since(Instant::now());
                Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() }
            });
            let mut fds = [PollFd::new(&self.socket, interest)];
            match rustix::event::poll(&mut fds, timeout.as_ref()) {
                Ok(0) => return Woken::TimedOut,
                Ok(_) => {
                    self.flush();
                    return Woken::Ready;
                }
                Err(Errno::INTR) => {}
                Err(_) => exit::now(Exit::Orphaned),
            }
        }
    }
}
