//! Going: a broken connection, a goodbye, the end of the server.

use std::time::Duration;

use super::hub::{Gone, Hub};
use super::{ConnId, Leave, LeaveReason, LeftReason};
use crate::time::Now;

impl Hub {
    /// A connection ended. One that was already told to leave is forgotten before, so this is harmless.
    pub fn disconnect(&mut self, now: Now, conn: ConnId, how: Gone) {
        self.effects.now = now;
        match how {
            Gone::Dropped => self.drop_out(conn, LeftReason::Dropped),
            Gone::Slow => {
                self.drop_out_told(conn, LeaveReason::Slow.leave());
            }
            Gone::TooLarge => {
                self.part(conn, LeftReason::Flood, Some(LeaveReason::TooLarge.leave()));
            }
            Gone::Left => self.part(conn, LeftReason::Left, None),
        }
        self.connections.remove(&conn);
        self.settle();
    }

    /// Tells every connection that the server ends, and forgets every room. Rooms are not closed by
    /// this: whoever stores them opens them again.
    pub fn shutdown(&mut self, now: Now, retry_after: Duration) {
        self.effects.now = now;
        let leave = LeaveReason::Shutdown.leave_for(retry_after);
        let mut connections: Vec<_> = std::mem::take(&mut self.connections).into_keys().collect();
        // The same in every run.
        connections.sort_unstable();
        for conn in connections {
            self.effects.end(conn, leave);
        }
        for room in std::mem::take(&mut self.rooms).into_values() {
            room.report_all_gone(LeftReason::Shutdown, &mut self.effects);
        }
        self.effects.timers = super::timers::Timers::default();
        self.settle();
    }

    /// Takes the peer behind `conn` out for good, and tells it `leave` if it can still hear.
    pub(super) fn part(&mut self, conn: ConnId, reason: LeftReason, leave: Option<Leave>) {
        let Some((room, peer)) = self.whose(conn) else { return };
        if let Some(leave) = leave {
            self.effects.end(conn, leave);
        }
        let Some(room) = self.rooms.get_mut(&room) else { return };
        if let Some(index) = room.member(&peer) {
            room.remove_member(index, reason, &mut self.effects);
        } else if let Some(index) = room.waiting(&peer) {
            room.remove_waiting(index, reason, &mut self.effects);
        }
    }

    fn drop_out_told(&mut self, conn: ConnId, leave: Leave) {
        if self.connections.contains_key(&conn) {
            self.effects.end(conn, leave);
        }
        self.drop_out(conn, LeftReason::Slow);
    }

    /// Keeps the place of a member that may resume; a waiting guest has none.
    fn drop_out(&mut self, conn: ConnId, reason: LeftReason) {
        let Some((room, peer)) = self.whose(conn) else { return };
        let Some(room) = self.rooms.get_mut(&room) else { return };
        if let Some(index) = room.member(&peer) {
            match room.members[index].keeps_place {
                true => room.members[index].go_away(&mut self.effects),
                false => drop(room.remove_member(index, reason, &mut self.effects)),
            }
        } else if let Some(index) = room.waiting(&peer) {
            room.remove_waiting(index, LeftReason::Dropped, &mut self.effects);
        }
    }
}
