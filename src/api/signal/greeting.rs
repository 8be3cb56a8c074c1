//! The beginning of a connection: our welcome, then a hello with a good ticket, in time.

use tokio::time::timeout;

use super::socket::{Received, Socket};
use super::{Endpoint, Incoming, parse, wire};
use crate::creds::ticket::Role as TicketRole;
use crate::signal::{
    Admission, ErrorCode, Hello, Leave, LeaveReason, PeerId, RefId, ResumeToken, Role, RoomId,
};
use crate::time::UnixTime;

/// Messages other than a hello that a connection may begin with.
const MAX_FALSE_STARTS: usize = 4;

/// How the beginning went wrong; none: there is nobody left to tell.
pub(super) type Refused = Option<Leave>;

/// Welcomes the client, waits for its hello and checks the ticket.
pub(super) async fn greet(endpoint: &Endpoint, socket: &mut Socket) -> Result<Hello, Refused> {
    let within = socket.patience.hello;
    let welcome = wire::welcome(endpoint.hub.limits(), within);
    socket.send(welcome).await.map_err(|_| None)?;
    if let Ok(greeted) = timeout(within, hello(endpoint, socket)).await {
        return greeted;
    }
    let text = "the first message is hello, and it comes at once";
    refuse(socket, None, ErrorCode::HelloExpected, text).await?;
    Err(Some(LeaveReason::NoHello.leave()))
}

async fn hello(endpoint: &Endpoint, socket: &mut Socket) -> Result<Hello, Refused> {
    for _ in 0..=MAX_FALSE_STARTS {
        let text = loop {
            match socket.receive().await {
                Received::Text(text) => break Some(text),
                Received::Binary => break None,
                Received::Confirmed(_) | Received::Alive => {}
                Received::TooLarge => return Err(Some(LeaveReason::TooLarge.leave())),
                Received::Closed => return Err(None),
            }
        };
        let Some(text) = text else {
            refuse(socket, None, ErrorCode::Binary, "messages are text").await?;
            continue;
        };
        match parse(&text, endpoint.hub.limits()) {
            Ok(Incoming::Hello { id, token, resume, seen }) => {
                let resume = resume.as_deref().and_then(ResumeToken::decode);
                let admission = match admission(endpoint, &token) {
                    Ok(admission) => admission,
                    Err(why) => {
                        let pause = endpoint.surroundings.ticket_refused(socket.client, &why);
                        refuse(socket, id.as_ref(), ErrorCode::Unauthorized, &why).await?;
                        return Err(Some(
                            pause.map_or(LeaveReason::Unauthorized.leave(), |pause| {
                                LeaveReason::Flood.leave_for(pause)
                            }),
                        ));
                    }
                };
                return Ok(Hello { id, admission, keeps_place: true, resume, seen });
            }
            Ok(Incoming::Message(message)) => {
                let text = "the first message is hello";
                refuse(socket, message.id.as_ref(), ErrorCode::HelloExpected, text).await?;
            }
            Err(bad) => refuse(socket, bad.id.as_ref(), bad.code, &bad.text).await?,
        }
    }
    Err(Some(LeaveReason::NoHello.leave()))
}

fn admission(endpoint: &Endpoint, token: &str) -> Result<Admission, String> {
    let surroundings = &endpoint.surroundings;
    let claims =
        surroundings.verify(surroundings.now().unix, token).map_err(|why| why.to_string())?;
    let (room, role) = match (claims.room, claims.role) {
        (Some(room), TicketRole::Host) => (room, Role::Host),
        (Some(room), TicketRole::Guest) => (room, Role::Guest),
        _ => return Err("this ticket opens no room".into()),
    };
    Ok(Admission {
        room: RoomId(room.into()),
        peer: PeerId(claims.sub.into()),
        role,
        name: claims.name.map(Into::into),
        issued: Some(UnixTime(claims.iat)),
    })
}

async fn refuse(
    socket: &mut Socket,
    id: Option<&RefId>,
    code: ErrorCode,
    text: &str,
) -> Result<(), Refused> {
    socket.send(wire::error(id, code, text)).await.map_err(|_| None)
}
