//! `POST /api/v1/invites/{invite}/redeem`: the only call that needs no proof but the invite itself.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::body::JsonBody;
use super::super::errors::{ApiError, Code, ErrorBody};
use super::super::ids::InPath;
use super::super::{Api, Client, ids, tickets};
use super::shapes::{Entered, checked_name};
use crate::creds::api_key;
use crate::creds::ticket::Role;
use crate::store::{EventKind, invite_id};

/// Who comes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Guest {
    /// What others see.
    #[schema(max_length = 128)]
    name: Option<String>,
}

/// Turns an invite into a guest's ticket, once.
#[utoipa::path(
    post,
    path = "/api/v1/invites/{invite}/redeem",
    tag = "rooms",
    params(("invite" = String, Path, description = "The invite")),
    request_body = Option<Guest>,
    responses(
        (status = 200, body = Entered),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
)]
pub(in crate::api) async fn redeem(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    InPath(invite): InPath,
    body: JsonBody<Guest>,
) -> Result<Response, ApiError> {
    api.limiters().redeem.check(client)?;
    // Everything that can be refused is refused before the invite is used up.
    let name = body.0.name.map(|name| checked_name(&name)).transpose()?.flatten();
    if invite.len() > ids::MAX_INVITE {
        return Err(Code::NoSuchInvite.into());
    }
    let now = api.now().unix;
    let hash = api_key::hash(&invite);
    let used = api.store().invites().redeem(hash, now.0).await?;
    let room = api.stored_room(&used.room)?;
    let claims = tickets::for_room(now, &room, Role::Guest, name);
    let event = api.event(EventKind::InviteRedeemed).room(&room.id).peer(&claims.sub);
    api.note(event.with("invite", invite_id(&hash)).with("client", client.to_string()));
    let ticket = api.tickets().sign(&claims);
    Ok(Entered { room: room.into(), ticket }.answer(StatusCode::OK))
}
