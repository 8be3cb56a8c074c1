//! `epoll(7)` and `eventfd(2)`: waiting for sockets, and being woken.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// What a socket is watched for, beside its end and its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::relay) struct Interest {
    /// Something to read.
    pub(in crate::relay) read: bool,
    /// Room to write.
    pub(in crate::relay) write: bool,
}

impl Interest {
    /// What datagram sockets and listeners are watched for.
    pub(in crate::relay) const READ: Self = Self { read: true, write: false };

    fn bits(self) -> u32 {
        let bit = |wanted, bit: libc::c_int| if wanted { bit as u32 } else { 0 };
        bit(self.read, libc::EPOLLIN) | bit(self.write, libc::EPOLLOUT)
    }
}

/// What a socket is ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::relay) struct Readiness {
    /// Something to read, or its end.
    pub(in crate::relay) read: bool,
    /// Room to write.
    pub(in crate::relay) write: bool,
    /// An error, or both directions have ended: reported whether watched for or not.
    pub(in crate::relay) gone: bool,
}

/// Readiness of many sockets, level-triggered.
pub(in crate::relay) struct Epoll {
    fd: OwnedFd,
    events: Box<[libc::epoll_event]>,
}

impl Epoll {
    /// Reports at most `events` ready sockets a call.
    pub(in crate::relay) fn new(events: usize) -> io::Result<Self> {
        // SAFETY: takes no pointer; what it returns is checked.
        let fd = owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        Ok(Self { fd, events: vec![libc::epoll_event { events: 0, u64: 0 }; events].into() })
    }

    /// Watches `socket` for datagrams. It leaves when it is closed.
    pub(in crate::relay) fn add(&self, socket: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        self.watch(libc::EPOLL_CTL_ADD, socket, token, Interest::READ)
    }

    /// As [`Self::add`], for what `interest` says.
    pub(in crate::relay) fn add_for(
        &self,
        socket: BorrowedFd<'_>,
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        self.watch(libc::EPOLL_CTL_ADD, socket, token, interest)
    }

    /// From now on watches `socket`, which was added, for what `interest` says.
    pub(in crate::relay) fn change(
        &self,
        socket: BorrowedFd<'_>,
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        self.watch(libc::EPOLL_CTL_MOD, socket, token, interest)
    }

    /// Watches `socket` no more, although it stays open.
    pub(in crate::relay) fn remove(&self, socket: BorrowedFd<'_>) -> io::Result<()> {
        self.watch(libc::EPOLL_CTL_DEL, socket, 0, Interest::READ)
    }

    fn watch(
        &self,
        operation: libc::c_int,
        socket: BorrowedFd<'_>,
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        let mut event = libc::epoll_event { events: interest.bits(), u64: token };
        // SAFETY: `event` lives for the whole call, and the kernel copies it.
        check(unsafe {
            libc::epoll_ctl(self.fd.as_raw_fd(), operation, socket.as_raw_fd(), &raw mut event)
        })
    }

    /// Waits until a socket is ready, or `timeout` is over (never when `None`; rounded up to a
    /// millisecond). Says how many are; a signal counts as none.
    pub(in crate::relay) fn wait(&mut self, timeout: Option<Duration>) -> io::Result<usize> {
        let millis = timeout.map_or(-1, |timeout| {
            i32::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
        });
        // SAFETY: `events` is borrowed mutably for the whole call, with its true length.
        let ready = unsafe {
            libc::epoll_wait(
                self.fd.as_raw_fd(),
                self.events.as_mut_ptr(),
                self.events.len() as i32,
                millis,
            )
        };
        match usize::try_from(ready) {
            Ok(ready) => Ok(ready),
            Err(_) => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => Ok(0),
                error => Err(error),
            },
        }
    }

    /// Whether the `index`th ready socket of the last [`Self::wait`] has an error to be fetched.
    pub(in crate::relay) fn has_error(&self, index: usize) -> bool {
        self.events[index].events & libc::EPOLLERR as u32 != 0
    }

    /// The token of the `index`th ready socket of the last [`Self::wait`].
    pub(in crate::relay) fn token(&self, index: usize) -> u64 {
        self.events[index].u64
    }

    /// What that socket is ready for.
    pub(in crate::relay) fn readiness(&self, index: usize) -> Readiness {
        let events = self.events[index].events;
        let any = |bits: libc::c_int| events & bits as u32 != 0;
        Readiness {
            read: any(libc::EPOLLIN),
            write: any(libc::EPOLLOUT),
            gone: any(libc::EPOLLERR | libc::EPOLLHUP),
        }
    }
}

/// Wakes a thread out of [`Epoll::wait`], from any other.
#[derive(Debug)]
pub(in crate::relay) struct Waker(OwnedFd);

impl Waker {
    /// One that is not rung.
    pub(in crate::relay) fn new() -> io::Result<Self> {
        // SAFETY: takes no pointer; what it returns is checked.
        owned(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) }).map(Self)
    }

    /// Rings. Ringing twice is ringing once.
    pub(in crate::relay) fn wake(&self) {
        let one = 1u64.to_ne_bytes();
        // SAFETY: eight bytes are read from an array of eight. It can only fail when the counter is
        // full, and then the bell rings already.
        let _ = unsafe { libc::write(self.0.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }

    /// Stops the bell.
    pub(in crate::relay) fn clear(&self) {
        let mut count = [0u8; 8];
        // SAFETY: eight bytes are written to an array of eight. It can only fail when nobody rang.
        let _ = unsafe { libc::read(self.0.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) };
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn owned(fd: libc::c_int) -> io::Result<OwnedFd> {
    check(fd)?;
    // SAFETY: the system call that was just checked opened `fd`, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn check(returned: libc::c_int) -> io::Result<()> {
    if returned < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
