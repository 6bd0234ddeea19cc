//! What goes wrong with a bucket; how it is mended is for `advice`. Providers answer with a code and a message inside
//! XML, and clients with chains of causes; keys, tokens and signed addresses may stand anywhere in either. So nothing is
//! shown but the code, the message, and the innermost cause.

use super::advice::{FEDERATION, credentials, told};
use super::{BucketUrl, Provider};
use object_store::client::{HttpError, HttpErrorKind};
use std::error::Error;

/// The longest piece of foreign text that is shown.
const LONGEST: usize = 240;

/// Why a bucket could not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot {what} {url}: {}", told(.fault, .url))]
pub struct BucketError {
    what: String,
    url: Box<BucketUrl>,
    fault: Fault,
}

impl BucketError {
    pub(super) fn new(what: impl Into<String>, url: &BucketUrl, fault: Fault) -> Self {
        BucketError { what: what.into(), url: Box::new(url.clone()), fault }
    }
}

/// The kinds of trouble that differ in how they are mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// A setting of the environment that is wrong by itself.
    Settings(String),
    /// Nobody gives credentials.
    NoCredentials(String),
    /// Nobody gives credentials for the identity that the job has a token of.
    Identity(String),
    /// The credentials are not taken.
    Credentials(String),
    /// They are taken, and do not allow it.
    Denied(String),
    /// There is no such bucket.
    NoBucket(String),
    /// The bucket is in another region than the one that was asked.
    Region {
        /// Where the bucket is, where the server tells.
        bucket: Option<String>,
        /// Where it was looked for.
        asked: String,
    },
    /// Nobody answers there.
    Unreachable(String),
    /// The connection broke, or the server was too busy, every time.
    Broken(String),
    /// Anything else, in the words of the server.
    Other(String),
}

impl Fault {
    /// True where another try may go well.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Fault::Broken(_))
    }

    /// What an error of the client means.
    pub(super) fn of(error: &object_store::Error, region: &str) -> Fault {
        let text = error.to_string();
        let said = said(&text, error);
        if let Some(code) = between(&text, "<Code>", "</Code>") {
            return Fault::of_code(code, &text, said, region);
        }
        if text.contains("redirect without LOCATION") {
            return Fault::Region { bucket: None, asked: region.to_owned() };
        }
        if let Some(kind) = http(error) {
            return match kind {
                HttpErrorKind::Connect => Fault::Unreachable(said),
                _ => Fault::Broken(said),
            };
        }
        if let Some((_, code)) = of_many(&text)
            && code.parse::<u16>().is_err()
        {
            return Fault::of_code(code, &text, said, region);
        }
        let status = |code: &str| ["status code: ", "(code: "].iter().any(|of| text.contains(&format!("{of}{code}")));
        match error {
            object_store::Error::PermissionDenied { .. } => Fault::Denied(said),
            object_store::Error::Unauthenticated { .. } => Fault::Credentials(said),
            _ if status("403") => Fault::Denied(said),
            _ if status("401") => Fault::Credentials(said),
            _ if status("404") => Fault::NoBucket(said),
            _ if status("5") => Fault::Broken(said),
            _ => Fault::Other(said),
        }
    }

    /// By the code that a provider gives.
    fn of_code(code: &str, text: &str, said: String, region: &str) -> Fault {
        match code {
            "NoSuchBucket" | "ContainerNotFound" | "ContainerBeingDeleted" | "InvalidBucketName" | "InvalidResourceName"
            // So to those without a key.
            | "ResourceNotFound" => {
                Fault::NoBucket(said)
            }
            "AuthorizationHeaderMalformed" | "PermanentRedirect" | "TemporaryRedirect" => {
                let bucket = between(text, "<Region>", "</Region>").or_else(|| between(text, "expecting '", "'"));
                Fault::Region { bucket: bucket.map(clean), asked: region.to_owned() }
            }
            // Azure's emulator calls a wrong signature so; Azure itself a network that is kept out, in other words.
            "AuthorizationFailure" if text.contains("failed to authenticate") => Fault::Credentials(said),
            "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "ExpiredToken"
            | "InvalidToken"
            | "InvalidSecurity"
            | "RequestTimeTooSkewed"
            | "TokenRefreshRequired"
            | "AuthenticationRequired"
            | "AuthenticationFailed"
            | "NoAuthenticationInformation"
            | "InvalidAuthenticationInfo"
            | "KeyBasedAuthenticationNotPermitted" => Fault::Credentials(said),
            "AccessDenied"
            | "AllAccessDisabled"
            | "AccountProblem"
            | "AuthorizationFailure"
            | "AuthorizationPermissionMismatch"
            | "AuthorizationProtocolMismatch"
            | "AuthorizationResourceTypeMismatch"
            | "AuthorizationServiceMismatch"
            | "AuthorizationSourceIPMismatch"
            | "PublicAccessNotPermitted"
            | "InsufficientAccountPermissions"
            | "AccountIsDisabled" => Fault::Denied(said),
            "InternalError" | "SlowDown" | "ServiceUnavailable" | "ServerBusy" | "RequestTimeout" | "OperationTimedOut"
            // Writers of one name that met: the next try finds what the other wrote.
            | "ConditionalRequestConflict" | "OperationAborted" => {
                Fault::Broken(said)
            }
            _ => Fault::Other(said),
        }
    }

    /// What an error in making the client means.
    pub(super) fn of_settings(error: &object_store::Error, provider: Provider) -> Fault {
        let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        // What is read as JSON and is something else is quoted then, and may be a secret.
        let why = why.split("invalid type: ").next().unwrap_or_default();
        let mends = if why.contains("external_account") { FEDERATION } else { credentials(provider) };
        Fault::Settings(format!("{}; {mends}", clean(why.trim_end_matches(['.', ':', ' ']))))
    }

    /// What it means that no credentials were given for a token.
    pub(super) fn no_identity(error: &object_store::Error) -> Fault {
        let said = said(&error.to_string(), error);
        if http(error).is_some() { Fault::Unreachable(said) } else { Fault::Identity(said) }
    }

    /// What it means that no credentials could be had.
    pub(super) fn no_credentials(error: &object_store::Error) -> Fault {
        Fault::NoCredentials(said(&error.to_string(), error))
    }
}

/// The client's own kind of a failure of the connection.
fn http(error: &object_store::Error) -> Option<HttpErrorKind> {
    causes(error).find_map(|cause| cause.downcast_ref::<HttpError>()).map(HttpError::kind)
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    let next = |error: &&'e (dyn Error + 'static)| -> Option<&'e (dyn Error + 'static)> { (*error).source() };
    std::iter::successors(Some(error), next)
}

/// The server's code and message, else the innermost cause.
fn said(text: &str, error: &(dyn Error + 'static)) -> String {
    let code = between(text, "<Code>", "</Code>");
    // Azure's goes on with a number and a time, an answer to a token has JSON.
    let message = between(text, "<Message>", "</Message>").and_then(|message| message.split("\nRequestId:").next());
    let (code, message) = match code {
        Some(_) => (code, message),
        None => {
            // Microsoft's goes on so.
            let message = json(text, "error_description").and_then(|said| said.split("Trace ID").next());
            (json(text, "error"), message.map(|said| said.trim_end_matches("\\r\\n").trim_end()))
        }
    };
    if code.is_none()
        && let Some((reason, _)) = of_many(text)
    {
        return clean(reason);
    }
    match (code, message) {
        (Some(code), Some(message)) if !message.is_empty() => {
            // Google says there who may not do what.
            let details = between(text, "<Details>", "</Details>").unwrap_or_default();
            clean(&format!("{code}: {message} {details}"))
        }
        (Some(code), _) => clean(code),
        _ => {
            // A status without a body that is known: its number and name only.
            let status = text.split("status code: ").nth(1).and_then(|rest| rest.split([':', '\n']).next());
            let innermost = || causes(error).last().map(ToString::to_string).unwrap_or_default();
            clean(&status.map_or_else(innermost, |status| format!("status {status}")))
        }
    }
}

/// The reason and the code of one object where a request was for several; removals are. A code of Azure is a status.
fn of_many(text: &str) -> Option<(&str, &str)> {
    let (before, after) = text.split_once(" (code: ")?;
    Some((before.rsplit_once(": ").map_or(before, |(_, reason)| reason), after.split(')').next()?))
}

/// A string of a JSON object that names no other thing so; as it is written.
fn json<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let after = text.split_once(&format!("\"{key}\""))?.1.trim_start().strip_prefix(':')?;
    after.trim_start().strip_prefix('"')?.split('"').next()
}

fn between<'t>(text: &'t str, open: &str, close: &str) -> Option<&'t str> {
    let rest = &text[text.find(open)? + open.len()..];
    rest.find(close).map(|end| &rest[..end])
}

/// Fit to be shown in one line: no control characters, no user, password or query of a URL, not too long.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::new();
    for (index, word) in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).enumerate()
    {
        if index > 0 {
            out.push(' ');
        }
        match word.split_once("://") {
            Some((scheme, rest)) => {
                let rest = rest.split(['?', '#']).next().unwrap_or_default();
                let host = rest.split_once('@').map_or(rest, |(_, host)| host);
                out.push_str(&format!("{scheme}://{host}"));
            }
            None => out.push_str(word),
        }
    }
    if out.chars().count() > LONGEST {
        out = out.chars().take(LONGEST).chain("…".chars()).collect();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url() -> BucketUrl {
        "s3://perf-runs/x".parse().unwrap()
    }

    fn generic(text: &str) -> object_store::Error {
        object_store::Error::Generic { store: "S3", source: text.to_owned().into() }
    }

    fn words(text: &str) -> String {
        words_of(&url(), text)
    }

    fn words_of(url: &BucketUrl, text: &str) -> String {
        BucketError::new("list", url, Fault::of(&generic(text), "eu-west-1")).to_string()
    }

    #[test]
    fn what_azure_says_is_told_apart() {
        let url = "az://perf-runs/x".parse().unwrap();
        let words = |status: &str, code: &str, message: &str| {
            let text = format!(
                "Server returned non-2xx status code: {status}: \u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error>\
                 <Code>{code}</Code><Message>{message}\nRequestId:c958dfca\nTime:2026-11-21T20:24:16.742Z</Message></Error>"
            );
            let words = words_of(&url, &text);
            assert!(words.contains(&format!("{code}: {message}")) && !words.contains("RequestId"), "{words}");
            words
        };
        // The words of Azure's documentation; those of its emulator are held to the emulator in tests/bucket_access.rs.
        let unauthentic = "Server failed to authenticate the request.";
        let unauthorized = "This request is not authorized to perform this operation.";
        for (said, mends) in [
            (words("403 Forbidden", "AuthenticationFailed", unauthentic), "AZURE_STORAGE_ACCOUNT_KEY"),
            (words("403 Forbidden", "AuthorizationFailure", unauthorized), "the account's network"),
            (words("403 Forbidden", "AuthorizationPermissionMismatch", unauthorized), "Storage Blob Data Reader"),
            (
                words(
                    "403 Forbidden",
                    "KeyBasedAuthenticationNotPermitted",
                    "Key based authentication is not permitted.",
                ),
                "AZURE_CLIENT_ID",
            ),
            (
                words("404 Not Found", "ContainerNotFound", "The specified container does not exist."),
                "container `perf-runs`",
            ),
            (
                words("409 Conflict", "ContainerBeingDeleted", "The container is being deleted."),
                "container `perf-runs`",
            ),
            (words("503 Busy", "ServerBusy", "The server is busy."), "try again later"),
        ] {
            assert!(said.contains(mends), "{said}");
        }
    }

    #[test]
    fn the_answer_for_one_of_several_removals_is_that_of_a_request() {
        // As the client words them.
        let azure = "Bulk delete request failed for key a: b/x.pgrun: Not permitted. (code: 403)";
        let s3 = "DeleteObjects request failed for key a: b/x.pgrun: Access Denied. (code: AccessDenied)";
        let busy = "DeleteObjects request failed for key a: b/x.pgrun: Slow down. (code: SlowDown)";
        assert!(words(azure).contains("access is denied (Not permitted.)"), "{}", words(azure));
        assert!(words(s3).contains("access is denied (Access Denied.)"), "{}", words(s3));
        assert!(words(busy).contains("try again later"), "{}", words(busy));
    }

    #[test]
    fn a_refused_token_is_explained_in_the_words_of_who_refused_it() {
        let answer = "Server returned non-2xx status code: 401 Unauthorized: {\"error\":\"invalid_client\",\
                      \"error_description\":\"AADSTS70021: No matching record.\\r\\nTrace ID: 17\",\"error_codes\":[70021]}";
        let fault = Fault::no_identity(&generic(answer));
        assert_eq!(fault, Fault::Identity("invalid_client: AADSTS70021: No matching record.".into()));
    }

    #[test]
    fn each_trouble_says_how_it_is_mended() {
        let xml = |status: &str, code: &str, more: &str| {
            format!(
                "Error performing GET http://h/b?sig=s3cr3t in 3ms - Server returned non-2xx status code: {status}: \
                 <?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m.</Message>{more}</Error>"
            )
        };
        let words = |status, code, more| words(&xml(status, code, more));
        for (said, mends) in [
            (words("404 Not Found", "NoSuchBucket", ""), "there is no bucket `perf-runs`"),
            (words("403 Forbidden", "AccessDenied", ""), "s3:ListBucket on arn:aws:s3:::perf-runs"),
            (words("403 Forbidden", "InvalidAccessKeyId", ""), "set AWS_ACCESS_KEY_ID"),
            (words("403 Forbidden", "SignatureDoesNotMatch", ""), "the credentials are not accepted"),
            (words("403 Forbidden", "RequestTimeTooSkewed", ""), "clock"),
            (
                words("400 Bad Request", "AuthorizationHeaderMalformed", "<Region>eu-north-1</Region>"),
                "AWS_REGION=eu-north-1",
            ),
            (words("301 Moved", "PermanentRedirect", ""), "another region than eu-west-1"),
            (words("503 Slow", "SlowDown", ""), "try again later"),
        ] {
            assert!(said.starts_with("cannot list s3://perf-runs/x: "), "{said}");
            assert!(said.contains(mends), "{said}");
            assert!(!said.contains("s3cr3t") && !said.contains('<'), "{said}");
        }
        let bare = "Received redirect without LOCATION, this normally indicates an incorrectly configured region";
        assert!(super::tests::words(bare).contains("set AWS_REGION"));
    }

    #[test]
    fn nothing_secret_and_nothing_that_moves_the_cursor_is_shown() {
        assert_eq!(clean("a\u{1b}[31m b\nhttps://u:p@h/x?sig=s#t c"), "a [31m b https://h/x c");
        assert_eq!(clean(&"x".repeat(1000)).chars().count(), LONGEST + 1);
    }
}
