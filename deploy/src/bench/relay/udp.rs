//! The floor: the same fan-out over bare UDP, without encryption, signature or retransmission. A publisher sends to a
//! forwarder, which sends each message to every reader; `sendmmsg` and `recvmmsg` move 32 at a time.

use std::io::{IoSlice, IoSliceMut};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::socket::sockopt::RcvBuf;
use nix::sys::socket::{
    MsgFlags, MultiHeaders, SockaddrStorage, getsockname, recvmmsg, sendmmsg, setsockopt,
};

use super::load::{Flow, Load, Measured, SUBSCRIBERS};

/// Messages that go through one call.
const AT_ONCE: usize = 32;

/// Longest message.
const LONGEST: usize = 2048;

/// What our own sockets ask for, too.
const SOCKET_BUFFER: usize = 2 << 20;

pub(super) fn run(load: Load) -> Result<Measured> {
    let flow = Arc::new(Flow::new(load));
    let readers: Vec<_> = (0..SUBSCRIBERS).map(|_| socket()).collect::<Result<_>>()?;
    let addresses = readers
        .iter()
        .map(|reader| getsockname(reader.as_raw_fd()))
        .collect::<Result<Vec<SockaddrStorage>, _>>()?;
    let forwarder = socket()?;
    let publisher = socket()?;
    publisher.connect(forwarder.local_addr()?)?;
    std::thread::scope(|scope| {
        for reader in &readers {
            let flow = &flow;
            scope.spawn(move || {
                let mut notes = flow.notes();
                receive(reader, flow, |messages| {
                    messages.iter().for_each(|message| notes.got(message));
                });
            });
        }
        let (flow, forwarder, addresses) = (&flow, &forwarder, &addresses);
        scope.spawn(move || {
            receive(forwarder, flow, |messages| {
                for address in addresses {
                    send(forwarder, messages, Some(*address));
                }
            });
        });
        scope.spawn(|| {
            while let Some(count) = flow.take() {
                if count == 0 {
                    std::thread::sleep(Duration::from_micros(200));
                    continue;
                }
                let messages: Vec<_> = (0..count).map(|_| flow.payload()).collect();
                let messages: Vec<&[u8]> = messages.iter().map(AsRef::as_ref).collect();
                messages
                    .chunks(AT_ONCE)
                    .for_each(|some| send(&publisher, some, None));
            }
        });
        let seen = flow.watch();
        Ok(seen)
    })
    .map(|seen| flow.measured(seen))
}

fn socket() -> Result<UdpSocket> {
    let socket = UdpSocket::bind("127.0.0.1:0").context("binding a UDP socket")?;
    setsockopt(&socket, RcvBuf, &SOCKET_BUFFER)?;
    // Whoever waits looks now and then whether it is over.
    socket.set_read_timeout(Some(Duration::from_millis(50)))?;
    Ok(socket)
}

/// Takes messages until the flow is over.
fn receive(socket: &UdpSocket, flow: &Flow, mut take: impl FnMut(&[&[u8]])) {
    let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(AT_ONCE, None);
    let mut buffers = vec![[0; LONGEST]; AT_ONCE];
    while !flow.stopped() {
        let mut slices: Vec<_> = buffers
            .iter_mut()
            .map(|buffer| [IoSliceMut::new(buffer)])
            .collect();
        let lengths: Vec<usize> = match recvmmsg(
            socket.as_raw_fd(),
            &mut headers,
            slices.iter_mut(),
            MsgFlags::MSG_WAITFORONE,
            None,
        ) {
            Ok(received) => received.map(|message| message.bytes).collect(),
            // The time is over, or a signal came.
            Err(_) => continue,
        };
        let messages: Vec<&[u8]> = buffers
            .iter()
            .zip(lengths)
            .filter_map(|(buffer, len)| buffer.get(..len))
            .collect();
        take(&messages);
    }
}

/// A message that finds no room is lost, as on any network.
fn send(socket: &UdpSocket, messages: &[&[u8]], to: Option<SockaddrStorage>) {
    let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(messages.len(), None);
    let slices: Vec<_> = messages.iter().map(|one| [IoSlice::new(one)]).collect();
    let addresses = vec![to; messages.len()];
    let _ = sendmmsg(
        socket.as_raw_fd(),
        &mut headers,
        &slices,
        &addresses,
        [],
        MsgFlags::empty(),
    );
}
