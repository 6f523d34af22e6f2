//! The API server's TokenReview.

use k8s_openapi::api::authentication::v1::TokenReviewStatus;
use kube::Client;
use serde::{Deserialize, Serialize};

use super::{Reviewer, Token, Unavailable};
use crate::bundle::push::AUDIENCE;
use crate::controller::api_error;

const PATH: &str = "/apis/authentication.k8s.io/v1/tokenreviews";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Review<'a> {
    api_version: &'static str,
    kind: &'static str,
    spec: Spec<'a>,
}

#[derive(Serialize)]
struct Spec<'a> {
    token: &'a str,
    audiences: [&'static str; 1],
}

/// The answer repeats the token, which is skipped.
#[derive(Deserialize)]
struct Reviewed {
    #[serde(default)]
    status: TokenReviewStatus,
}

/// The API server as reviewer.
pub fn api_server(client: Client) -> Reviewer {
    Box::new(move |token| Box::pin(review(client.clone(), token)))
}

/// Through `request_text`: kube's typed door writes an answer that it cannot decode to the log, and
/// this one holds a token.
async fn review(client: Client, token: Token) -> Result<TokenReviewStatus, Unavailable> {
    let spec = Spec { token: token.text(), audiences: [AUDIENCE] };
    let review = Review { api_version: "authentication.k8s.io/v1", kind: "TokenReview", spec };
    let body = serde_json::to_vec(&review).map_err(|_| unavailable("the request"))?;
    let request = http::Request::post(PATH).header(http::header::CONTENT_TYPE, "application/json");
    let request = request.body(body).map_err(|_| unavailable("the request"))?;
    let text =
        client.request_text(request).await.map_err(|error| Unavailable(api_error::why(&error)))?;
    let reviewed: Reviewed = serde_json::from_str(&text).map_err(|_| unavailable("the answer"))?;
    Ok(reviewed.status)
}

fn unavailable(what: &str) -> Unavailable {
    Unavailable(format!("{what} cannot be read"))
}
