//! Errors as FastAPI writes them: `{"detail": "…"}`, or a list of what is wrong with a body.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::api::NO_STORE;
use crate::api::errors::{ApiError, Code};

/// What every refused call answers.
#[derive(Serialize, ToSchema)]
#[schema(as = RoomsFault)]
pub(in crate::api::dialects) struct FaultBody {
    /// A sentence; a list of objects with `type`, `loc` and `msg` when a body is not right.
    detail: Value,
}

/// An answer that is an error.
#[derive(Debug)]
pub(super) enum Fault {
    /// One sentence.
    Api(ApiError),
    /// A status of the dialect's own.
    Detail(StatusCode, &'static str),
    /// What is wrong with a body.
    Invalid(Vec<Value>),
}

impl<E: Into<ApiError>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Api(error.into())
    }
}

impl Fault {
    /// A field that is not there.
    pub(super) fn missing(field: &str) -> Value {
        json!({"type": "missing", "loc": ["body", field], "msg": "Field required", "input": null})
    }

    /// A field that is no text.
    pub(super) fn no_text(field: &str) -> Value {
        let msg = "Input should be a valid string";
        json!({"type": "string_type", "loc": ["body", field], "msg": msg, "input": null})
    }

    /// A body that is no JSON.
    pub(super) fn no_json(error: &serde_json::Error) -> Value {
        json!({"type": "json_invalid", "loc": ["body", error.column()], "msg": "JSON decode error",
            "input": {}, "ctx": {"error": error.to_string()}})
    }
}

/// The sentence of the document where it has one; else ours.
fn detail(error: &ApiError) -> String {
    match error.code() {
        Code::Unauthorized => "Not authenticated".into(),
        Code::InvalidToken | Code::SessionOver => "Could not validate credentials".into(),
        Code::InvalidLogin => "Incorrect username or password".into(),
        Code::NotFound => "Not Found".into(),
        Code::NoSuchRoom => "Room not found".into(),
        Code::MethodNotAllowed => "Method Not Allowed".into(),
        _ => error.message().to_owned(),
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        match self {
            Self::Api(error) => {
                let challenged = error.code().status() == StatusCode::UNAUTHORIZED;
                let body = json!({"detail": detail(&error)});
                let mut response = error.reshaped(&body);
                if challenged {
                    let bearer = HeaderValue::from_static("Bearer");
                    response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
                }
                response
            }
            Self::Detail(status, detail) => answer(status, &json!({"detail": detail})),
            Self::Invalid(details) => {
                answer(StatusCode::UNPROCESSABLE_ENTITY, &json!({"detail": details}))
            }
        }
    }
}

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CACHE_CONTROL, NO_STORE)], Json(body)).into_response()
}
